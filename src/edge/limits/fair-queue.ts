import { boundedMap } from './bounded-map.ts';

/**
 * When each browser's next records are due: later for browsers that have sent much. In memory: after an
 * eviction, all of them start afresh.
 */
export type DueTimes = {
  /** 0 if its records are due when they arrive. */
  readonly dueFrom: (device: string, now: number) => number;
  /** Sets when browsers are due at the earliest, unless they are already due later. */
  readonly put: (dueFrom: ReadonlyMap<string, number>, now: number) => void;
};

// A browser's records are due on arrival if it sends no more than this share of what its outbox can send. At
// the account's whole allowance that is two records a second.
const PACE_SHARE = 0.01;

/** How long after a record the next one of its browser is due, in milliseconds. */
export function msPerRecordOf(recordsPerMinute: number): number {
  return 60_000 / (recordsPerMinute * PACE_SHARE);
}

// No browser is put back further. So records that it sent while nobody else had any are soon forgiven.
const FURTHEST_MS = 60_000;

// The browser that was set longest ago is forgotten first: it is most likely due at once.
const MAX_DEVICES = 10_000;

export function dueTimes(maxDevices: number = MAX_DEVICES): DueTimes {
  const known = boundedMap<number>(maxDevices);
  return {
    // A time further ahead was set before the clock was set back.
    dueFrom: (device, now) => Math.min(known.get(device) ?? 0, now + FURTHEST_MS),
    put: (dueFrom, now) => {
      for (const [device, at] of dueFrom) {
        const latest = Math.max(at, known.get(device) ?? 0);
        known.set(device, Math.min(latest, now + FURTHEST_MS));
      }
    },
  };
}
