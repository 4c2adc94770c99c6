import { MINUTE_MS } from '../../pacing/minute.ts';

/** Counts by name. */
export type NamedCounts = Readonly<Record<string, number | undefined>>;

/** The counts of all isolates of the Worker together: since the first one, and by minute over the last hour. */
export type SharedCounts = {
  readonly total: NamedCounts;
  /** Oldest first. */
  readonly minutes: readonly { readonly at: number; readonly counts: NamedCounts }[];
};

export const NO_COUNTS: SharedCounts = { total: {}, minutes: [] };

const KEPT_MINUTES = 60;

export function addCounts({ total, minutes }: SharedCounts, counts: NamedCounts, now: number): SharedCounts {
  const at = now - (now % MINUTE_MS);
  const same = minutes.find((minute) => minute.at === at)?.counts ?? {};
  const others = minutes.filter((minute) => minute.at !== at && isWithin(minute.at, KEPT_MINUTES, now));
  return { total: sum(total, counts), minutes: [...others, { at, counts: sum(same, counts) }] };
}

/** The counts of the last minutes, the current one included. */
export function lastCounts({ minutes }: SharedCounts, lastMinutes: number, now: number): NamedCounts {
  return minutes
    .filter(({ at }) => isWithin(at, lastMinutes, now))
    .reduce<NamedCounts>((all, { counts }) => sum(all, counts), {});
}

/** A minute in the future comes from a clock that has since been set back. */
function isWithin(at: number, minutes: number, now: number): boolean {
  return at > now - minutes * MINUTE_MS && at <= now;
}

function sum(one: NamedCounts, other: NamedCounts): NamedCounts {
  const all = new Map(Object.entries(one));
  for (const [name, count = 0] of Object.entries(other)) all.set(name, (all.get(name) ?? 0) + count);
  return Object.fromEntries(all);
}

/** The synchronous storage of an object. */
type CountStorage = {
  readonly get: <T>(key: string) => T | undefined;
  readonly put: (key: string, value: SharedCounts) => void;
};

/** The counts of one group. Written once a minute while they come, because each write is billed as a row. */
export type CountTally = {
  readonly add: (kv: CountStorage, counts: NamedCounts, now: number) => void;
  readonly read: (kv: CountStorage) => SharedCounts;
};

/** An object that is evicted forgets at most the counts of its last minute. */
export function countTally(key: string): CountTally {
  let unwritten: SharedCounts | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const read = (kv: CountStorage) => unwritten ?? kv.get<SharedCounts>(key) ?? NO_COUNTS;
  return {
    read,
    add: (kv, counts, now) => {
      const all = addCounts(read(kv), counts, now);
      const isDue = now >= writtenAt + MINUTE_MS || now < writtenAt;
      unwritten = isDue ? undefined : all;
      if (!isDue) return;
      kv.put(key, all);
      writtenAt = now;
    },
  };
}
