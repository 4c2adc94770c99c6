import type { Issue } from '../../../contract/issue.ts';

/** Why rows were rejected: one entry for each reason. */
export type Reason = {
  /** Field and rule, as one sentence. It never contains a value. */
  readonly reason: string;
  readonly count: number;
  /** The numbers of the first rows. */
  readonly rows: readonly number[];
};

/** What became of the rows of a file, over all runs. */
export type Tally = {
  sent: number;
  /** Rows that the relay had already: from a run that ended before it could note them. */
  duplicates: number;
  rejected: number;
  readonly reasons: Map<string, Reason>;
};

// Enough to find the rows in the file. `--rejects` has all of them.
const MAX_ROWS_SHOWN = 10;

// Names of fields come from the file, so there could be as many reasons as rows.
const MAX_REASONS = 100;
const OTHERS = 'other reasons';

export function emptyTally(): Tally {
  return { sent: 0, duplicates: 0, rejected: 0, reasons: new Map() };
}

/** Counts a rejected row under each of its reasons. Returns the entries that have changed. */
export function countRejected(tally: Tally, row: number, issues: readonly Issue[]): readonly Reason[] {
  const { reasons } = tally;
  tally.rejected += 1;
  const names = issues.map(({ path, message }) => `${path} ${message}`.trim());
  const known = names.map((name) => (reasons.has(name) || reasons.size < MAX_REASONS ? name : OTHERS));
  return [...new Set(known)].map((reason) => {
    const { count, rows } = reasons.get(reason) ?? { count: 0, rows: [] };
    const changed = {
      reason,
      count: count + 1,
      rows: rows.length < MAX_ROWS_SHOWN ? [...rows, row] : rows,
    };
    reasons.set(reason, changed);
    return changed;
  });
}

/** The most frequent reason first. */
export function sortedReasons({ reasons }: Tally): readonly Reason[] {
  return [...reasons.values()].sort((a, b) => b.count - a.count);
}
