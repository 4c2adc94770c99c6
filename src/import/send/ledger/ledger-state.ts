import type { RecordKind } from '../../../contract/record.ts';
import { formatRows, type Line, parseRows, type SealedLine } from './journal-line.ts';
import { type RowSet, rowSet } from './row-set.ts';
import { emptyTally, type Reason, type Tally } from './tally.ts';

/** A call to WebEngage: it keeps its rows and its id until it has ended. */
export type SealedBatch = {
  readonly id: string;
  readonly kind: RecordKind;
  /** In milliseconds since 1970: the time of events that have none. */
  readonly at: number;
  readonly rows: readonly number[];
};

/** What became of each row. */
export type LedgerState = {
  readonly settled: RowSet;
  readonly tally: Tally;
  readonly sealed: Map<string, SealedBatch>;
  /** The length of the file of rejected rows. */
  rejectsBytes: number;
};

/** What has changed since the last line of the journal. */
export type Changes = {
  readonly settled: number[];
  readonly sealed: SealedBatch[];
  readonly unsealed: string[];
  readonly reasons: Map<string, Reason>;
  /** Lines for the file of rejected rows. */
  rejects: string;
  isAny: boolean;
};

export function noChanges(): Changes {
  return { settled: [], sealed: [], unsealed: [], reasons: new Map(), rejects: '', isAny: false };
}

/** What the lines of a journal say. */
export function stateFrom(lines: readonly Line[]): LedgerState {
  const tally = emptyTally();
  const settled = rowSet(lines[0]?.upTo);
  const sealed = new Map<string, SealedBatch>();
  for (const line of lines) {
    for (const row of parseRows(line.settled ?? '')) settled.add(row);
    for (const batch of line.sealed ?? []) sealed.set(batch.id, { ...batch, rows: parseRows(batch.rows) });
    for (const id of line.unsealed ?? []) sealed.delete(id);
    for (const reason of line.reasons ?? []) tally.reasons.set(reason.reason, reason);
    tally.sent = line.sent;
    tally.duplicates = line.duplicates;
    tally.rejected = line.rejected;
  }
  return { settled, tally, sealed, rejectsBytes: lines.at(-1)?.rejectsBytes ?? 0 };
}

/** A line without the length of the file of rejected rows, which is known once that file is written. */
type LineBefore = Omit<Line, 'rejectsBytes'>;

const toLine = ({ rows, ...batch }: SealedBatch): SealedLine => ({ ...batch, rows: formatRows(rows) });
const copied = (reasons: ReadonlyMap<string, Reason>) =>
  [...reasons.values()].map((reason) => ({ ...reason, rows: [...reason.rows] }));

/** The first line of a file. */
export function firstLine(
  { settled, tally, sealed }: LedgerState,
  { digest, into }: { readonly digest: string; readonly into: string },
): LineBefore {
  const { sent, duplicates, rejected, reasons } = tally;
  return {
    import: digest,
    into,
    upTo: settled.upTo(),
    settled: formatRows(settled.above()),
    sealed: [...sealed.values()].map(toLine),
    reasons: copied(reasons),
    ...{ sent, duplicates, rejected },
  };
}

/** A later line. */
export function lineOf(
  { sent, duplicates, rejected }: Tally,
  { settled, sealed, unsealed, reasons }: Changes,
): LineBefore {
  return {
    ...(settled.length > 0 && { settled: formatRows(settled) }),
    ...(sealed.length > 0 && { sealed: sealed.map(toLine) }),
    ...(unsealed.length > 0 && { unsealed }),
    ...(reasons.size > 0 && { reasons: copied(reasons) }),
    ...{ sent, duplicates, rejected },
  };
}
