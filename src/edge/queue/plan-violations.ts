import { DAY_MS, MINUTE_MS } from '../../pacing/minute.ts';
import type { Violation, Violations } from '../../plan/off-plan.ts';

/** How often records violated the plan in one way, and when last. */
export type CountedViolation = Violation & { readonly count: number; readonly lastAt: number };

/** The violations of the plan so far. */
export type ViolationCounts = {
  /** The most frequent first. */
  readonly kinds: readonly CountedViolation[];
  /** Violations of kinds beyond `MAX_KINDS`, counted together. */
  readonly others: number;
};

export const NO_VIOLATIONS: ViolationCounts = { kinds: [], others: 0 };

/**
 * The most kinds of violation that are kept apart. Anybody can violate the plan in ever new ways, and must
 * not fill the storage with them.
 */
export const MAX_KINDS = 200;

// How many of these places are for the latest kinds. A new kind begins with a count of one, and must stay
// long enough to gather more.
const LATEST = 50;

// A violation that was corrected disappears after a week.
const KEPT_MS = 7 * DAY_MS;

/** Adds counts up. If there are too many kinds, keeps the most frequent, and the latest of the others. */
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
  // Nothing was seen for a week, so neither were these.
  const others = kept.length === 0 ? 0 : all.reduce((sum, each) => sum + each.others, gone);
  return { kinds: kept, others };
}

/**
 * Counts the violations of one request, except those of records that were stored before. Returns true if
 * there are counts that are not written yet.
 */
export type CountViolations = (
  sql: SqlStorage,
  violations: Violations,
  isKnown: (id: string) => boolean,
  now: number,
) => boolean;

/**
 * Counts violations in memory. Writes them once a minute while they come, and when `write` is called, as each
 * relay pass does at its end. One row holds them all, because each write is billed.
 */
export type ViolationTally = {
  readonly count: CountViolations;
  /** Everything counted so far, written or not. */
  readonly read: (sql: SqlStorage, now: number) => ViolationCounts;
  /** Writes the counts that are still in memory. */
  readonly write: (sql: SqlStorage, now: number) => void;
  /** Counts the kinds that contain this name among the others. Returns their number. */
  readonly forgetName: (sql: SqlStorage, name: string, now: number) => number;
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
    if (counted.length > 0) pending = addViolations([pending, { kinds: counted, others }], now);
    if (now >= writtenAt + MINUTE_MS) write(sql, now);
    return pending.kinds.length > 0;
  };
  const forgetName = (sql: SqlStorage, name: string, now: number): number => {
    const known = all(sql, now);
    const named = known.kinds.filter((kind) => contains(kind, name));
    if (named.length === 0) return 0;
    const others = named.reduce((sum, kind) => sum + kind.count, known.others);
    writeRow(sql, { kinds: known.kinds.filter((kind) => !named.includes(kind)), others });
    pending = NO_VIOLATIONS;
    writtenAt = now;
    return named.length;
  };
  return { count, read: all, write, forgetName };
}

/** Anybody may call an event or an attribute anything, also by the id of a person. */
function contains({ of, path }: Violation, name: string): boolean {
  return of === name || `.${path}.`.includes(`.${name}.`);
}

/**
 * Drops violations that were not seen for a week. Counting drops them too, but only when another violation
 * comes. Returns true if any is left.
 */
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

/** Always one row, because rows written are billed. */
function writeRow(sql: SqlStorage, counts: ViolationCounts): void {
  if (counts.kinds.length === 0) sql.exec('DELETE FROM off_plan');
  else
    sql.exec(
      'INSERT INTO off_plan (only, counts) VALUES (1, ?) ON CONFLICT DO UPDATE SET counts = excluded.counts',
      JSON.stringify(counts),
    );
}
