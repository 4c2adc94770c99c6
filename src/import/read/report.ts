import type { ImportRow } from './source.ts';

/** One reason, and the rows that have it. */
export type Reason = {
  /** The field, such as `email`. Empty for the row as a whole. */
  readonly path: string;
  /** Path and message read as one sentence. */
  readonly message: string;
  readonly rows: number;
  /** The numbers of the first rows. */
  readonly firstRows: readonly number[];
};

/** What a run has found in a file. It holds no value of any row. */
export type ImportReport = {
  readonly rows: number;
  readonly good: number;
  readonly refused: number;
  /** Good rows that were changed. */
  readonly repaired: number;
  /** Why rows were refused, the most frequent first. A row may have several reasons. */
  readonly reasons: readonly Reason[];
  /** What was changed. */
  readonly repairs: readonly Reason[];
  /** Reasons beyond the limit, each with the rows that have it counted once. */
  readonly otherReasons: number;
};

const FIRST_ROWS = 5;

// Names inside nested objects come from the file, so their number has no limit of its own.
const MAX_REASONS = 100;

/** The part of a report that is about good rows. */
export type GoodRows = Pick<ImportReport, 'good' | 'repaired' | 'repairs'> & {
  /** Repairs beyond the limit of reasons. */
  readonly otherRepairs: number;
};

/** Collects a report, row by row. */
export type ReportCollector = {
  readonly add: (row: ImportRow) => void;
  readonly result: () => ImportReport;
  readonly good: () => GoodRows;
};

/** @param earlier what the report goes on from: good rows stay good */
export function importReport(earlier?: GoodRows): ReportCollector {
  const reasons = reasonTable();
  const repairs = reasonTable(earlier?.repairs, earlier?.otherRepairs);
  const counts = { rows: earlier?.good ?? 0, good: earlier?.good ?? 0, repaired: earlier?.repaired ?? 0 };
  return {
    add(row) {
      counts.rows += 1;
      if (!row.ok) {
        for (const { path, message } of row.issues) reasons.add(path, message, row.number);
        return;
      }
      counts.good += 1;
      if (row.repairs === undefined) return;
      counts.repaired += 1;
      for (const { path, rule, done } of row.repairs)
        repairs.add(path, `${rule}: ${done === 'cut' ? 'cut' : 'left out'}`, row.number);
    },
    result: () => ({
      ...counts,
      refused: counts.rows - counts.good,
      reasons: reasons.list(),
      repairs: repairs.list(),
      otherReasons: reasons.others() + repairs.others(),
    }),
    good: () => ({
      good: counts.good,
      repaired: counts.repaired,
      repairs: repairs.list(),
      otherRepairs: repairs.others(),
    }),
  };
}

function reasonTable(earlier: readonly Reason[] = [], earlierOthers = 0) {
  const keyOf = (path: string, message: string) => `${path}\n${message}`;
  const known = new Map(
    earlier.map((reason) => [
      keyOf(reason.path, reason.message),
      { ...reason, firstRows: [...reason.firstRows] },
    ]),
  );
  let others = earlierOthers;
  return {
    add(path: string, message: string, row: number): void {
      const key = keyOf(path, message);
      const reason = known.get(key);
      if (reason === undefined) {
        if (known.size === MAX_REASONS) others += 1;
        else known.set(key, { path, message, rows: 1, firstRows: [row] });
        return;
      }
      reason.rows += 1;
      if (reason.firstRows.length < FIRST_ROWS) reason.firstRows.push(row);
    },
    list: (): Reason[] => [...known.values()].sort((a, b) => b.rows - a.rows),
    others: () => others,
  };
}
