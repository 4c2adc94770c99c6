import type { InputStream } from '../../import/read/input-file.ts';
import { type ImportReport, importReport } from '../../import/read/report.ts';
import { ImportError, type ImportSource } from '../../import/read/source.ts';
import { type ExitCode, ROWS_REFUSED } from '../exit-code.ts';
import { plain } from '../plain-text.ts';
import { type Destination, destinationOf } from './destination.ts';
import { type OpenSource, openSource } from './open.ts';
import type { ImportOptions } from './options.ts';
import { createRejects } from './rejects-file.ts';
import { columnLines, reportLines } from './report-text.ts';
import { type SendWorld, sendRows } from './send.ts';

type World = SendWorld & {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: InputStream;
  /** In milliseconds since 1970. */
  readonly now: () => number;
};

/** Sends the rows of a file of users or events, or only checks them, and reports the rows that are refused. */
export async function importFile(options: ImportOptions, given: World): Promise<ExitCode> {
  // Messages name columns of the file, and repeat what a server says.
  const world: World = { ...given, complain: (line) => given.complain(plain(line)) };
  // Before the file is read, which may take minutes.
  const destination = options.dryRun ? undefined : destinationOf(options, world.env);
  if (destination !== undefined && !destination.ok) {
    world.complain(destination.message);
    return 2;
  }
  let opened: OpenSource | undefined;
  try {
    opened = await openSource(options, world.stdin, world.now());
    return await handleRows(options, opened.source, destination, world);
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    world.complain(error.message);
    return 1;
  } finally {
    await opened?.file.close();
  }
}

/** @param destination without it, rows are only checked */
async function handleRows(
  options: ImportOptions,
  source: ImportSource,
  destination: Destination | undefined,
  world: World,
): Promise<ExitCode> {
  if (!options.json) for (const line of [...columnLines(source.columns), '']) world.say(line);
  if (destination !== undefined) return sendRows(options, source, destination, world);
  const report = await checkRows(source, options);
  world.say(reportText(options, source, report));
  return report.refused === 0 ? 0 : ROWS_REFUSED;
}

/** Reads all rows, and sends none. */
async function checkRows(
  source: ImportSource,
  { rejects: path, file }: ImportOptions,
): Promise<ImportReport> {
  const report = importReport();
  const rejects = path === undefined ? undefined : await createRejects(path, file);
  try {
    for await (const row of source.read()) {
      report.add(row);
      if (!row.ok) await rejects?.add(row);
    }
  } finally {
    await rejects?.close();
  }
  return report.result();
}

function reportText({ json }: ImportOptions, source: ImportSource, report: ImportReport): string {
  const { digest, columns } = source;
  return json ? JSON.stringify({ digest, columns, ...report }, null, 2) : reportLines(report).join('\n');
}
