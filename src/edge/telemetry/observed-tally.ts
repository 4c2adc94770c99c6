import { addObservations, isNothing, NOTHING_OBSERVED, type Observations } from './observations.ts';

// Rows are billed. A scrape comes as often, so where there are scrapes, a pass rarely writes one.
const PASS_WRITES_EVERY_MS = 15_000;

/**
 * Counts observations in an object's memory. One row holds all of them. An object that restarts loses what was
 * counted since it was written.
 */
export type ObservedTally = {
  readonly add: (seen: Observations) => void;
  /** Writes what is in memory, and returns everything that was ever counted: it never becomes less. */
  readonly write: (kv: SyncKvStorage, now: number) => Observations;
  /** Writes what is in memory, unless something was written within 15 seconds. */
  readonly writeAfterPass: (kv: SyncKvStorage, now: number) => void;
};

export function observedTally(): ObservedTally {
  let pending = NOTHING_OBSERVED;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const write = (kv: SyncKvStorage, now: number): Observations => {
    const all = addObservations(kv.get<Observations>('observed') ?? NOTHING_OBSERVED, pending);
    if (isNothing(pending)) return all;
    kv.put('observed', all);
    pending = NOTHING_OBSERVED;
    writtenAt = now;
    return all;
  };
  return {
    add: (seen) => {
      pending = addObservations(pending, seen);
    },
    write,
    writeAfterPass: (kv, now) => {
      if (Math.abs(now - writtenAt) >= PASS_WRITES_EVERY_MS) write(kv, now);
    },
  };
}
