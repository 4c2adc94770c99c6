import { boundedMap } from './bounded-map.ts';

/**
 * From when each browser is due to be sent on: later for those that have sent much. In memory: an outbox that was evicted
 * lets all of them begin anew.
 */
export type DueTimes = {
  /** 0 where it is due as soon as it sends. */
  readonly dueFrom: (device: string, now: number) => number;
  /** From then they are due, or from later if they were before. */
  readonly put: (dueFrom: ReadonlyMap<string, number>, now: number) => void;
};

// A browser that sends no more than this part of what an outbox can send on is due whenever it sends; at the account's whole
// allowance that is two records a second.
const PACE_SHARE = 0.01;

/** How long after a record the next one of its browser is due. */
export function msPerRecordOf(recordsPerMinute: number): number {
  return 60_000 / (recordsPerMinute * PACE_SHARE);
}

// Nobody is put back further: what was sent while nobody else wanted to is soon forgiven.
const FURTHEST_MS = 60_000;

// Those that were sent on longest ago are forgotten first: most likely they are due at once.
const MAX_DEVICES = 10_000;

export function dueTimes(maxDevices: number = MAX_DEVICES): DueTimes {
  const known = boundedMap<number>(maxDevices);
  return {
    // What lies further off is from before a clock was set back.
    dueFrom: (device, now) => Math.min(known.get(device) ?? 0, now + FURTHEST_MS),
    put: (dueFrom, now) => {
      for (const [device, at] of dueFrom) {
        const latest = Math.max(at, known.get(device) ?? 0);
        known.set(device, Math.min(latest, now + FURTHEST_MS));
      }
    },
  };
}
