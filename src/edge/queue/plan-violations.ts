import { MINUTE_MS } from '../../pacing/minute.ts';
import type { Violation, Violations } from '../../plan/off-plan.ts';

/** How often records were off the plan in one way, and when last. */
export type CountedViolation = Violation & { readonly count: number; readonly lastAt: number };

/** What is known of records that were off the plan. */
export type ViolationCounts = {
  /** Those seen most come first. */
  readonly kinds: readonly CountedViolation[];
  /** Violations whose ways are not among them: there were more ways than are kept apart. */
  readonly others: number;
};

export const NO_VIOLATIONS: ViolationCounts = { kinds: [], others: 0 };

/** Ways that are kept apart. Anybody can be off the plan in ever new ways, and none of them may fill the storage. */
export const MAX_KINDS = 200;

// Of these, places for what was seen last: a new way begins with a count of one, and must stay long enough to gather more.
const LATEST = 50;

// Who has put a thing right sees it go.
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Adds counts up. Where there are too many ways, those stay that were seen most, and of the others those that were seen last. */
export function addViolations(all: readonly ViolationCounts[], now: number): ViolationCounts {
  const kinds = new Map<string, CountedViolation>();
  for (const each of all.flatMap((counts) => counts.kinds)) {
    const { of, path, rule, lastAt } = each;
    if (lastAt <= now - KEPT_MS) continue;
    const key = JSON.stringify([of, path, rule]);
    const known = kinds.get(key) ?? { ...each, count: 0 };
    kinds.set(key, { ...known, count: known.count + each.count, lastAt: Math.max(known.lastAt, lastAt) });
  }
  const most = [...kinds.values()].sort((a, b) => b.count - a.count || b.lastAt - a.lastAt);
  const rarer = most.splice(MAX_KINDS - LATEST).sort((a, b) => b.lastAt - a.lastAt || b.count - a.count);
  const gone = rarer.splice(LATEST).reduce((sum, { count }) => sum + count, 0);
  const kept = [...most, ...rarer].sort((a, b) => b.count - a.count || b.lastAt - a.lastAt);
  // Nothing was seen for a week: nor were they.
  const others = kept.length === 0 ? 0 : all.reduce((sum, each) => sum + each.others, gone);
  return { kinds: kept, others };
}

/** Counts the violations of one request, except those of records that were stored before. */
export type CountViolations = (
  sql: SqlStorage,
  violations: Violations,
  isKnown: (id: string) => boolean,
  now: number,
) => void;

/** Counts violations in memory, and writes them at most once a minute: one row holds them all, and each write is billed. */
export type ViolationTally = {
  readonly count: CountViolations;
  /** Everything counted so far, written or not. */
  readonly read: (sql: SqlStorage, now: number) => ViolationCounts;
  /** Writes the counts that are still in memory. */
  readonly write: (sql: SqlStorage, now: number) => void;
};

export function violationTally(): ViolationTally {
  let pending = NO_VIOLATIONS;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const all = (sql: SqlStorage, now: number) => addViolations([readRow(sql), pending], now);
  const write = (sql: SqlStorage, now: number): void => {
    if (pending.kinds.length === 0) return;
    writeRow(sql, all(sql, now));
    pending = NO_VIOLATIONS;
    writtenAt = now;
  };
  const count: CountViolations = (sql, { kinds, others }, isKnown, now) => {
    const counted = kinds.flatMap(({ ids, ...kind }) => {
      const count = [...new Set(ids)].filter((id) => !isKnown(id)).length;
      return count === 0 ? [] : [{ ...kind, count, lastAt: now }];
    });
    if (counted.length === 0) return;
    pending = addViolations([pending, { kinds: counted, others }], now);
    if (now >= writtenAt + MINUTE_MS) write(sql, now);
  };
  return { count, read: all, write };
}

/** Forgets what was not seen for a week, for nobody may be off the plan again; answers whether anything is left. */
export function dropExpiredViolations(sql: SqlStorage, now: number): boolean {
  const kept = readRow(sql);
  const left = addViolations([kept], now);
  if (left.kinds.length < kept.kinds.length) writeRow(sql, left);
  return left.kinds.length > 0;
}

function readRow(sql: SqlStorage): ViolationCounts {
  const [row] = sql.exec<{ counts: string }>('SELECT counts FROM off_plan').toArray();
  return row === undefined ? NO_VIOLATIONS : JSON.parse(row.counts);
}

/** One row, whatever is in it: rows written are billed. */
function writeRow(sql: SqlStorage, counts: ViolationCounts): void {
  if (counts.kinds.length === 0) sql.exec('DELETE FROM off_plan');
  else
    sql.exec(
      'INSERT INTO off_plan (only, counts) VALUES (1, ?) ON CONFLICT DO UPDATE SET counts = excluded.counts',
      JSON.stringify(counts),
    );
}
