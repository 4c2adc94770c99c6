import type { JournalDisk, JournalFile, Self } from '../../../server/journal/disk.ts';
import type { ImportReport } from '../../read/report.ts';
import { ImportError, type ImportRow } from '../../read/source.ts';
import { grouped } from './grouped.ts';
import { type Journal, openJournal } from './journal.ts';
import {
  firstLine,
  isNoteworthy,
  type LedgerState,
  lineOf,
  noChanges,
  type SealedBatch,
  stateFrom,
} from './ledger-state.ts';
import type { RowSet } from './row-set.ts';

/** A row that may be sent. */
export type ReadyRow = Extract<ImportRow, { ok: true }>;

/** A row that is not sent, and why. */
export type RefusedRow = Extract<ImportRow, { ok: false }>;

/** Who refuses a row: our own checks, or the relay or WebEngage. */
type Refuser = 'check' | 'destination';

/** Records what became of each row, in memory and on disk. */
export type Ledger = {
  /** Rows that this run has nothing to do with any more: they have arrived, or this run has refused them. */
  readonly settled: Pick<RowSet, 'has' | 'upTo' | 'size'>;
  /** Rows that the destination has refused, also in earlier runs. */
  readonly refused: Pick<RowSet, 'has'>;
  readonly sealed: ReadonlyMap<string, SealedBatch>;
  /** About all rows that are settled. */
  readonly report: () => ImportReport;
  /** Good rows that an earlier run had brought to the relay without noting it. */
  readonly duplicates: () => number;
  /** Whether the destination has accepted or refused a row in this run. So it accepts the token or the key. */
  readonly isAnswered: () => boolean;
  /** Notes rows that have arrived, `duplicates` of them in an earlier run. */
  readonly settle: (rows: readonly ReadyRow[], duplicates?: number) => void;
  /** Notes a row that is not sent. The next run checks it again, since its options may allow it. */
  readonly refuse: (row: RefusedRow, by: Refuser) => void;
  /** Notes batches whose calls may leave once this is flushed, in place of another batch. */
  readonly seal: (batches: readonly SealedBatch[], instead?: string) => void;
  readonly unseal: (id: string) => void;
  /** Characters to be written with the next flush. */
  readonly pendingLength: () => number;
  /** Resolves when everything noted so far is on disk. Rejects with a `LedgerError`, from then on always. */
  readonly flush: () => Promise<void>;
  /** Flushes, and frees the journal. */
  readonly close: () => Promise<void>;
  /** Flushes, and removes the journal's files. */
  readonly remove: () => Promise<void>;
};

/** The journal, or the file of refused rows, can't be used. The message names the path and the remedy. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
}

export type LedgerOptions = {
  /** Identifies the import. */
  readonly digest: string;
  /** The destination, for messages. */
  readonly into: string;
  readonly journal?: {
    readonly path: string;
    readonly disk: (path: string) => Promise<JournalDisk>;
    readonly self: () => Promise<Self>;
  };
  readonly rejects?: {
    readonly path: string;
    /** Creates the file, or empties it: each run writes it anew. */
    readonly open: (path: string) => Promise<JournalFile>;
  };
};

/** The files that the ledger writes. */
type Outputs = { readonly journal: Journal | undefined; readonly rejects: JournalFile | undefined };

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Opens the ledger of an import, as earlier runs have left it. Rejects with a `LedgerError` or an `ImportError`. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const journal = await journalOf(options);
  const state = stateFrom(journal?.left ?? []);
  try {
    return ledgerOf(options, state, { journal, rejects: await rejectsOf(options) });
  } catch (error) {
    await journal?.close();
    throw error;
  }
}

async function journalOf({ digest, into, journal }: LedgerOptions): Promise<Journal | undefined> {
  if (journal === undefined) return undefined;
  const { path, disk, self } = journal;
  const opened = await Promise.all([disk(path), self()])
    .then((ports) => openJournal(...ports))
    .catch((error) => {
      throw new LedgerError(
        `the journal ${path} can't be opened: ${messageOf(error)}. A journal is a folder: name another one with --journal`,
      );
    });
  const [first] = opened.left;
  if (first === undefined || (first.import === digest && first.into === into)) return opened;
  await opened.close();
  throw new LedgerError(
    first.import === digest
      ? `the journal ${path} belongs to an import into ${first.into}: go on with that one, or name another journal with --journal`
      : `the journal ${path} belongs to another import: the file, or a flag that decides what becomes of its rows, has changed. Go on with the old ones, name another journal with --journal, or remove this one to begin anew`,
  );
}

async function rejectsOf({ rejects }: LedgerOptions): Promise<JournalFile | undefined> {
  return rejects?.open(rejects.path).catch((error) => {
    if (error instanceof ImportError) throw error;
    throw new LedgerError(`${rejects.path} can't be opened: ${messageOf(error)}. Name another --rejects`);
  });
}

function ledgerOf(options: LedgerOptions, state: LedgerState, outputs: Outputs): Ledger {
  const { sent, settled, refused, sealed, report } = state;
  let changes = noChanges();
  let isAnswered = false;
  const take = () => {
    const taken = changes;
    changes = noChanges();
    return taken;
  };
  const { flush, end } = writerOf(options, state, outputs, take);
  return {
    settled,
    refused,
    sealed,
    report: report.result,
    duplicates: () => state.duplicates,
    isAnswered: () => isAnswered,
    settle: (rows, duplicates = 0) => {
      isAnswered = true;
      for (const row of rows) {
        sent.add(row.number);
        settled.add(row.number);
        changes.sent.push(row.number);
        report.add(row);
      }
      state.duplicates += duplicates;
    },
    refuse: (row, by) => {
      settled.add(row.number);
      report.add(row);
      if (outputs.rejects !== undefined) changes.rejects += refusedLine(row);
      if (by === 'check') return;
      isAnswered = true;
      if (refused.has(row.number)) return;
      refused.add(row.number);
      changes.refused.push(row.number);
    },
    seal: (batches, instead) => {
      for (const batch of batches) sealed.set(batch.id, batch);
      changes.sealed.push(...batches);
      if (instead !== undefined) {
        sealed.delete(instead);
        changes.unsealed.push(instead);
      }
    },
    unseal: (id) => {
      sealed.delete(id);
      changes.unsealed.push(id);
    },
    pendingLength: () => changes.rejects.length,
    flush,
    close: () => end('close'),
    remove: () => end('remove'),
  };
}

/** A refused row in the file for them. */
export function refusedLine({ number, line, issues, row }: RefusedRow): string {
  const reasons = issues.map(({ path, message }) => `${path} ${message}`.trim());
  return `${JSON.stringify({ number, line, reasons, row })}\n`;
}

/** Writes changes in groups. */
function writerOf(
  options: LedgerOptions,
  state: LedgerState,
  { journal, rejects }: Outputs,
  take: () => ReturnType<typeof noChanges>,
): { readonly flush: () => Promise<void>; readonly end: (how: 'close' | 'remove') => Promise<void> } {
  let broken: LedgerError | undefined;
  const failAt = (place: string) => (error: unknown) => {
    broken = new LedgerError(
      `${place} can't be written: ${messageOf(error)}. Make room, then run the same command again: no row is lost`,
    );
    throw broken;
  };
  async function write(): Promise<void> {
    if (broken !== undefined) throw broken;
    const changes = take();
    const isFirst = journal?.beginsFile() ?? false;
    // Made before the first wait, so that its counts are those of its rows.
    const line = isFirst ? firstLine(state, options) : lineOf(state, changes);
    if (rejects !== undefined && changes.rejects !== '') {
      const append = async () => {
        await rejects.append(changes.rejects);
        await rejects.sync();
      };
      await append().catch(failAt(`${options.rejects?.path}`));
    }
    if (isFirst || isNoteworthy(changes))
      await journal?.append(line).catch(failAt(`the journal ${options.journal?.path}`));
  }
  const flush = grouped(write);
  return {
    flush,
    end: async (how) => {
      try {
        await flush();
      } finally {
        await rejects?.close();
        await journal?.[broken === undefined ? how : 'close']();
      }
    },
  };
}
