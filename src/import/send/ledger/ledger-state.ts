import type { RecordKind } from '../../../contract/record.ts';
import { type ImportReport, importReport, type ReportCollector } from '../../read/report.ts';
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
  /** Rows that have arrived, or were refused. */
  readonly settled: RowSet;
  readonly sealed: Map<string, SealedBatch>;
  readonly report: ReportCollector;
  /** Rows that an earlier run had brought to the relay without noting it. */
  duplicates: number;
  /** The length of the file of refused rows. */
  refusedBytes: number;
  /** How many rows the reasons of the last line count. */
  foundRows: number;
};

/** What has changed since the last line of the journal. */
export type Changes = {
  readonly settled: number[];
  readonly sealed: SealedBatch[];
  readonly unsealed: string[];
  /** Lines for the file of refused rows. */
  refused: string;
  isAny: boolean;
};

export function noChanges(): Changes {
  return { settled: [], sealed: [], unsealed: [], refused: '', isAny: false };
}

/** What the lines of a journal say. */
export function stateFrom(lines: readonly Line[]): LedgerState {
  const settled = rowSet(lines[0]?.upTo);
  const sealed = new Map<string, SealedBatch>();
  for (const line of lines) {
    for (const row of parseRows(line.settled ?? '')) settled.add(row);
    for (const batch of line.sealed ?? []) sealed.set(batch.id, { ...batch, rows: parseRows(batch.rows) });
    for (const id of line.unsealed ?? []) sealed.delete(id);
  }
  const { good, refused, repaired, duplicates, refusedBytes } = lines.at(-1) ?? NOTHING;
  const found = lines.findLast((line) => line.found !== undefined)?.found ?? NOTHING_FOUND;
  return {
    settled,
    sealed,
    report: importReport({ rows: good + refused, good, refused, repaired, ...found }),
    duplicates,
    refusedBytes,
    foundRows: refused + repaired,
  };
}

const NOTHING = { good: 0, refused: 0, repaired: 0, duplicates: 0, refusedBytes: 0 };
const NOTHING_FOUND = { reasons: [], repairs: [], otherReasons: 0 };

/** A line without the length of the file of refused rows, which is known once that file is written. */
type LineBefore = Omit<Line, 'refusedBytes'>;

const toLine = ({ rows, ...batch }: SealedBatch): SealedLine => ({ ...batch, rows: formatRows(rows) });

const copied = (reasons: ImportReport['reasons']) =>
  reasons.map((reason) => ({ ...reason, firstRows: [...reason.firstRows] }));

/** The report as a line holds it. */
function reported(state: LedgerState, isFirst: boolean): LineBefore {
  const { good, refused, repaired, reasons, repairs, otherReasons } = state.report.result();
  const hasFound = isFirst || refused + repaired > state.foundRows;
  state.foundRows = refused + repaired;
  return {
    ...{ good, refused, repaired, duplicates: state.duplicates },
    ...(hasFound && { found: { reasons: copied(reasons), repairs: copied(repairs), otherReasons } }),
  };
}

/** The first line of a file. */
export function firstLine(
  state: LedgerState,
  { digest, into }: { readonly digest: string; readonly into: string },
): LineBefore {
  return {
    import: digest,
    into,
    upTo: state.settled.upTo(),
    settled: formatRows(state.settled.above()),
    sealed: [...state.sealed.values()].map(toLine),
    ...reported(state, true),
  };
}

/** A later line. */
export function lineOf(state: LedgerState, { settled, sealed, unsealed }: Changes): LineBefore {
  return {
    ...(settled.length > 0 && { settled: formatRows(settled) }),
    ...(sealed.length > 0 && { sealed: sealed.map(toLine) }),
    ...(unsealed.length > 0 && { unsealed }),
    ...reported(state, false),
  };
}
