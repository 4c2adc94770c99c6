import { rmdir } from 'node:fs/promises';
import type { ImportSource } from '../../import/read/source.ts';
import { createHalt } from '../../import/send/halt.ts';
import { type Ledger, LedgerError, openLedger } from '../../import/send/ledger/ledger.ts';
import { progressMeter } from '../../import/send/progress.ts';
import { type Ended, runImport } from '../../import/send/run.ts';
import { nodeDisk, nodeSelf } from '../../server/journal/node-disk.ts';
import { serverPlatform } from '../../server/platform.ts';
import { type ExitCode, INTERRUPTED, ROWS_REFUSED } from '../exit-code.ts';
import type { Destination } from './destination.ts';
import { onInterrupt } from './interrupts.ts';
import type { ImportOptions } from './options.ts';
import {
  type ProgressStream,
  type ProgressView,
  progressBar,
  progressJson,
  progressLines,
} from './progress-view.ts';
import { openRejects } from './rejects-file.ts';
import { sentLines } from './report-text.ts';

export type SendWorld = {
  readonly say: (text: string) => void;
  readonly complain: (line: string) => void;
  readonly progress: ProgressStream;
};

/** Sends the rows of a file, and reports the result. */
export async function sendRows(
  options: ImportOptions,
  source: ImportSource,
  destination: Destination,
  world: SendWorld,
): Promise<ExitCode> {
  const { complain } = world;
  const journal = journalOf(options);
  if (journal === undefined && destination.needsJournal) {
    complain(
      'to send standard input with --direct, name a folder with --journal: it records which rows are sent',
    );
    return 2;
  }
  let ledger: Ledger;
  try {
    ledger = await openLedger({
      digest: source.digest,
      into: destination.into,
      ...(journal !== undefined && { journal: { path: journal, disk: nodeDisk, self: nodeSelf } }),
      ...(options.rejects !== undefined && {
        rejects: { path: options.rejects, open: (path) => openRejects(path, options.file) },
      }),
    });
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    complain(error.message);
    return 1;
  }
  sayEarlier(options, source, ledger, world);
  const removesJournal = options.journal === undefined && !destination.needsJournal;
  const ended = await run({ options, source, destination, ledger, world, removesJournal });
  // This fails if the folder still holds something, which then stays.
  if (journal !== undefined) await rmdir(journal).catch(() => {});
  sayEnd(options, source, { ledger, ended, credential: destination.credential }, world);
  if (ended.kind === 'interrupted') return INTERRUPTED;
  if (ended.kind === 'failed') return 1;
  return ledger.report().refused > 0 ? ROWS_REFUSED : 0;
}

/** The journal's folder: beside the file by default. Undefined for standard input. */
function journalOf({ file, journal }: ImportOptions): string | undefined {
  return journal ?? (file === '-' ? undefined : `${file}.webengage-journal`);
}

type Run = {
  readonly options: ImportOptions;
  readonly source: ImportSource;
  readonly destination: Destination;
  readonly ledger: Ledger;
  readonly world: SendWorld;
  readonly removesJournal: boolean;
};

async function run({ options, source, destination, ledger, world, removesJournal }: Run): Promise<Ended> {
  const platform = serverPlatform();
  const { mono } = platform.time;
  const halt = createHalt();
  const view = viewOf(options, world, mono);
  const sample = () => {
    const { good: accepted, refused } = ledger.report();
    return { at: mono(), accepted, refused };
  };
  const measure = progressMeter(source.rows, sample());
  const ignore = onInterrupt(
    process,
    mono,
    () => {
      view.end();
      world.complain('interrupted: waiting up to 5 seconds for answers. Press Ctrl-C again to stop at once');
      halt.stop({ kind: 'interrupted' });
    },
    () => process.exit(INTERRUPTED),
  );
  try {
    return await runImport({
      time: platform.time,
      source,
      sender: await destination.sender({ ...platform, ledger, halt }, source.digest),
      ledger,
      halt,
      removesJournal,
      onTick: () => view.show(measure(sample())),
    });
  } finally {
    view.end();
    ignore();
  }
}

function viewOf({ json }: ImportOptions, { say, progress }: SendWorld, now: () => number): ProgressView {
  if (json) return progressLines(say, now, progressJson);
  if (progress.isTTY) return progressBar(progress);
  return progressLines((line) => void progress.write(`${line}\n`), now);
}

function sayEarlier(options: ImportOptions, source: ImportSource, ledger: Ledger, world: SendWorld): void {
  const sent = ledger.settled.size();
  if (sent === 0) return;
  const next = sent === source.rows ? 'nothing is left to send' : 'the others are checked again';
  world.progress.write(
    `the journal ${journalOf(options)} says that ${sent} of ${source.rows} rows are sent: ${next}\n`,
  );
}

/** What a run has left. `credential`: what lets the rows in. */
type Result = { readonly ledger: Ledger; readonly ended: Ended; readonly credential: string };

function sayEnd(
  options: ImportOptions,
  { digest, columns, rows }: ImportSource,
  { ledger, ended, credential }: Result,
  { say, complain }: SendWorld,
): void {
  const report = ledger.report();
  const duplicates = ledger.duplicates();
  if (options.json) {
    const { kind: outcome, ...message } = ended;
    const { good: sent, rows: settled, ...rest } = report;
    say(
      JSON.stringify({
        type: 'report',
        outcome,
        ...message,
        digest,
        columns,
        rows,
        settled,
        sent,
        duplicates,
        answered: ledger.isAnswered(),
        ...rest,
      }),
    );
  } else {
    say(sentLines(report, duplicates, rows).join('\n'));
    if (ended.kind === 'complete' && report.refused > 0 && !ledger.isAnswered())
      say(`\nno row was sent in this run, so ${credential} is not checked`);
  }
  if (ended.kind === 'complete') return;
  if (ended.kind === 'failed') complain(ended.message);
  complain(
    journalOf(options) === undefined
      ? 'to continue, import the same input again within eight days: the relay takes no row twice'
      : 'to continue, run the same command again: no row is sent twice',
  );
}
