import type { InspectedTracker } from '../../src/inspector/listening.ts';
import type { TrackerEvents } from '../../src/tracker/engine/events.ts';
import { createEnds, type Tell } from '../../src/tracker/engine/events.ts';
import { statsOf } from '../../src/tracker/store/stats.ts';
import type { FlushResult } from '../../src/tracker/tracker.ts';

/** A tracker to be looked at: it tells what it is told to, and has these counts. */
export function inspectedTracker(counts: object = {}) {
  const { on, tell } = createEnds((error) => {
    throw error;
  });
  let listeners = 0;
  let flushed: FlushResult = { settled: true };
  const tracker: InspectedTracker = {
    on: (name, listener) => {
      listeners += 1;
      const end = on(name, listener);
      return () => {
        listeners -= 1;
        end();
      };
    },
    stats: async () => statsOf(counts),
    flush: async () => flushed,
  };
  return {
    tracker,
    tell: tell as Tell,
    listeners: () => listeners,
    flushesTo: (result: FlushResult) => {
      flushed = result;
    },
  };
}

/** One of each thing that a tracker tells, by name. */
export const TOLD: TrackerEvents = {
  delivered: { ids: ['a', 'b', 'c'], duplicates: 1 },
  rejected: { id: 'a', issues: [{ path: 'eventData.Price', message: 'must be a number' }] },
  dropped: { ids: ['a', 'b'], reason: 'expired' },
  repaired: { record: 'Bought', path: 'eventData.Note', rule: 'must be short', done: 'cut' },
  retrying: { reason: 'network', inMs: 4_000 },
  degraded: { reason: 'no IndexedDB' },
};
