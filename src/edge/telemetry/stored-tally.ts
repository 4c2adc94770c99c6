/**
 * Counts in an object's memory, and writes all of it as one value now and then: each write is billed as a row.
 * An object that restarts loses what it has counted since the last write.
 */
export type StoredTally<T> = {
  readonly add: (counted: T) => void;
  /** Everything that was ever counted, written or not. */
  readonly read: (kv: SyncKvStorage) => T;
  /** Writes the counts that are only in memory. Returns everything that was ever counted. */
  readonly write: (kv: SyncKvStorage, now: number) => T;
  /** Writes them too, unless something was written within this time. */
  readonly writeAtMostEvery: (ms: number, kv: SyncKvStorage, now: number) => void;
};

/** @param sum adds up two counts, one of which may be `nothing` */
export function storedTally<T>(key: string, nothing: T, sum: (one: T, other: T) => T): StoredTally<T> {
  let pending = nothing;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const read = (kv: SyncKvStorage) => sum(kv.get<T>(key) ?? nothing, pending);
  const write = (kv: SyncKvStorage, now: number) => {
    const all = read(kv);
    if (pending === nothing) return all;
    kv.put(key, all);
    pending = nothing;
    writtenAt = now;
    return all;
  };
  return {
    add: (counted) => {
      pending = sum(pending, counted);
    },
    read,
    write,
    writeAtMostEvery: (ms, kv, now) => {
      // The clock may have been set back.
      if (Math.abs(now - writtenAt) >= ms) write(kv, now);
    },
  };
}
