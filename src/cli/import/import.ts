import type { InputStream } from '../../import/read/input-file.ts';
import { type ImportReport, importReport } from '../../import/read/report.ts';
import { ImportError, type ImportSource } from '../../import/read/source.ts';
import type { ExitCode } from '../exit-code.ts';
import { type OpenSource, openSource } from './open.ts';
import type { ImportOptions } from './options.ts';
import { createRejects, type RejectsFile } from './rejects-file.ts';
import { columnLines, reportLines } from './report-text.ts';

type World = {
  readonly say: (text: string) => void;
  readonly complain: (line: string) => void;
  readonly stdin: InputStream;
  /** In milliseconds since 1970. */
  readonly now: () => number;
};

/** Checks a file of users or events, row by row, and says what is wrong with it. */
export async function importFile(options: ImportOptions, world: World): Promise<ExitCode> {
  let opened: OpenSource | undefined;
  let rejects: RejectsFile | undefined;
  try {
    opened = await openSource(options, world.stdin, world.now());
    if (options.rejects !== undefined) rejects = await createRejects(options.rejects, options.file);
    if (!options.json) for (const line of [...columnLines(opened.source.columns), '']) world.say(line);
    const report = await checkRows(opened.source, rejects);
    await rejects?.close();
    rejects = undefined;
    sayReport(options, opened.source, report, world);
    return report.refused === 0 ? 0 : ROWS_REFUSED;
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    world.complain(error.message);
    return 1;
  } finally {
    await rejects?.close().catch(() => undefined);
    await opened?.file.close();
  }
}

const ROWS_REFUSED = 3;

/** Reads all rows, and sends none. */
async function checkRows(source: ImportSource, rejects: RejectsFile | undefined): Promise<ImportReport> {
  const report = importReport();
  for await (const row of source.read()) {
    report.add(row);
    if (!row.ok) await rejects?.add(row);
  }
  return report.result();
}

function sayReport({ json }: ImportOptions, source: ImportSource, report: ImportReport, { say }: World): void {
  if (!json) return say(reportLines(report).join('\n'));
  const { digest, columns } = source;
  say(JSON.stringify({ digest, columns, ...report }, null, 2));
}
