import type { RecordKind } from '../../../contract/record.ts';
import { formatSeqs, parseSeqs } from '../../../edge/queue/seq-ranges.ts';
import { importReport, type ReportCollector } from '../../read/report.ts';
import { formatRows, type Line, parseRows, type SealedLine } from './journal-line.ts';
import { type RowSet, rowSet } from './row-set.ts';

/** A call to WebEngage: it keeps its rows and its id until it has ended. */
export type SealedBatch = {
  readonly id: string;
  readonly kind: RecordKind;
  readonly rows: readonly number[];
};

/** What became of each row. */
export type LedgerState = {
  /** Rows that have arrived, in this run and in earlier ones. */
  readonly sent: RowSet;
  /** Those, and the rows that this run has refused. */
  readonly settled: RowSet;
  /** Rows that the destination has refused, in this run and in earlier ones. */
  readonly refused: RowSet;
  readonly sealed: Map<string, SealedBatch>;
  readonly report: ReportCollector;
  /** Rows that an earlier run had brought to the relay without noting it. */
  duplicates: number;
  /** How many repaired rows the repairs of the last line count. */
  notedRepaired: number;
};

/** What has changed since the last line of the journal. */
export type Changes = {
  readonly sent: number[];
  readonly refused: number[];
  readonly sealed: SealedBatch[];
  readonly unsealed: string[];
  /** Lines for the file of refused rows. */
  rejects: string;
};

export function noChanges(): Changes {
  return { sent: [], refused: [], sealed: [], unsealed: [], rejects: '' };
}

/** Whether there is something for the journal to note. */
export function isNoteworthy({ sent, refused, sealed, unsealed }: Changes): boolean {
  return sent.length + refused.length + sealed.length + unsealed.length > 0;
}

/** What the lines of a journal say. */
export function stateFrom(lines: readonly Line[]): LedgerState {
  const sealed = new Map<string, SealedBatch>();
  for (const line of lines) {
    for (const batch of line.sealed ?? []) sealed.set(batch.id, { ...batch, rows: parseRows(batch.rows) });
    for (const id of line.unsealed ?? []) sealed.delete(id);
  }
  const sent = lines.flatMap((line) => parseSeqs(line.sent ?? ''));
  const settled = rowSet(sent);
  const { repaired = 0, duplicates = 0 } = lines.at(-1) ?? {};
  const { reasons = [], others = 0 } = lines.findLast(({ repairs }) => repairs !== undefined)?.repairs ?? {};
  return {
    sent: rowSet(sent),
    settled,
    refused: rowSet(lines.flatMap((line) => parseSeqs(line.refused ?? ''))),
    sealed,
    report: importReport({ good: settled.size(), repaired, repairs: reasons, otherRepairs: others }),
    duplicates,
    notedRepaired: repaired,
  };
}

const toLine = ({ rows, ...batch }: SealedBatch): SealedLine => ({ ...batch, rows: formatRows(rows) });

/** The counts of a line, and the repairs if there are new ones. */
function counted(state: LedgerState, isFirst: boolean): Line {
  const { repaired, repairs, otherRepairs } = state.report.good();
  const hasRepairs = isFirst || repaired > state.notedRepaired;
  state.notedRepaired = repaired;
  const reasons = repairs.map((reason) => ({ ...reason, firstRows: [...reason.firstRows] }));
  return {
    repaired,
    duplicates: state.duplicates,
    ...(hasRepairs && { repairs: { reasons, others: otherRepairs } }),
  };
}

/** The first line of a file. */
export function firstLine(
  state: LedgerState,
  { digest, into }: { readonly digest: string; readonly into: string },
): Line {
  return {
    import: digest,
    into,
    sent: formatSeqs(state.sent.intervals()),
    refused: formatSeqs(state.refused.intervals()),
    sealed: [...state.sealed.values()].map(toLine),
    ...counted(state, true),
  };
}

/** A later line. */
export function lineOf(state: LedgerState, { sent, refused, sealed, unsealed }: Changes): Line {
  return {
    ...(sent.length > 0 && { sent: formatRows(sent) }),
    ...(refused.length > 0 && { refused: formatRows(refused) }),
    ...(sealed.length > 0 && { sealed: sealed.map(toLine) }),
    ...(unsealed.length > 0 && { unsealed }),
    ...counted(state, false),
  };
}
