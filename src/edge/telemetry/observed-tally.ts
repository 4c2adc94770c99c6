import { addObservations, isNothing, NOTHING_OBSERVED, type Observations } from './observations.ts';

/**
 * Counts observations in an object's memory. One row holds all of them and is written when `write` is called,
 * by each relay pass and each scrape. An object that restarts loses what came since.
 */
export type ObservedTally = {
  readonly add: (seen: Observations) => void;
  /** Writes what is in memory, and returns everything that was ever counted: it never becomes less. */
  readonly write: (kv: SyncKvStorage) => Observations;
};

export function observedTally(): ObservedTally {
  let pending = NOTHING_OBSERVED;
  return {
    add: (seen) => {
      pending = addObservations(pending, seen);
    },
    write: (kv) => {
      const all = addObservations(kv.get<Observations>('observed') ?? NOTHING_OBSERVED, pending);
      if (!isNothing(pending)) kv.put('observed', all);
      pending = NOTHING_OBSERVED;
      return all;
    },
  };
}
