import type { Violation, Violations } from './held-to-plan.ts';

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

// Who has put a thing right sees it go.
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Adds counts up. Where there are too many ways, the rarest go; of those the ones that were seen longest ago. */
export function addViolations(all: readonly ViolationCounts[], now: number): ViolationCounts {
  const kinds = new Map<string, CountedViolation>();
  for (const each of all.flatMap((counts) => counts.kinds)) {
    const { of, path, rule, lastAt } = each;
    if (lastAt <= now - KEPT_MS) continue;
    const key = JSON.stringify([of, path, rule]);
    const known = kinds.get(key) ?? { ...each, count: 0 };
    kinds.set(key, { ...known, count: known.count + each.count, lastAt: Math.max(known.lastAt, lastAt) });
  }
  const sorted = [...kinds.values()].sort((a, b) => b.count - a.count || b.lastAt - a.lastAt);
  const gone = sorted.slice(MAX_KINDS).reduce((sum, { count }) => sum + count, 0);
  return {
    kinds: sorted.slice(0, MAX_KINDS),
    others: all.reduce((sum, { others }) => sum + others, gone),
  };
}

/** @param isKnown of a record that was stored before, and is counted already */
export function countViolations(
  sql: SqlStorage,
  { kinds, others }: Violations,
  isKnown: (id: string) => boolean,
  now: number,
): void {
  const counted = kinds.flatMap(({ ids, ...kind }) => {
    const count = ids.filter((id) => !isKnown(id)).length;
    return count === 0 ? [] : [{ ...kind, count, lastAt: now }];
  });
  if (counted.length === 0) return;
  const all = addViolations([readViolations(sql, now), { kinds: counted, others }], now);
  // One row, whatever is in it: rows written are billed.
  sql.exec(
    'INSERT INTO off_plan VALUES (1, ?) ON CONFLICT DO UPDATE SET counts = excluded.counts',
    JSON.stringify(all),
  );
}

export function readViolations(sql: SqlStorage, now: number): ViolationCounts {
  const [row] = sql.exec<{ counts: string }>('SELECT counts FROM off_plan').toArray();
  return row === undefined ? NO_VIOLATIONS : addViolations([JSON.parse(row.counts)], now);
}
