import { MINUTE_MS } from '../../pacing/minute.ts';

/** Counts by minute, oldest first. */
export type RecentCounts = readonly { readonly at: number; readonly count: number }[];

/** How many minutes count, the current one included. */
const RECENT_MINUTES = 5;

export function addRecent(counts: RecentCounts, count: number, now: number): RecentCounts {
  const minute = now - (now % MINUTE_MS);
  const kept = counts.filter((each) => isRecent(each.at, now));
  const same = kept.find(({ at }) => at === minute)?.count ?? 0;
  return [...kept.filter(({ at }) => at !== minute), { at: minute, count: same + count }];
}

export function recentSum(counts: RecentCounts, now: number): number {
  return counts.filter(({ at }) => isRecent(at, now)).reduce((sum, { count }) => sum + count, 0);
}

/** A minute in the future comes from a clock that has since been set back. */
function isRecent(at: number, now: number): boolean {
  return at > now - RECENT_MINUTES * MINUTE_MS && at <= now;
}
