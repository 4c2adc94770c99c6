import type { InspectedTracker } from '../../../src/inspector/subscribe.ts';
import type { FlushResult, TrackerEvents } from '../../../src/tracker/index.ts';
import type { InspectedRecord } from '../../../src/tracker/inspect.ts';
import { createEmitter } from '../../../src/tracker/page/events.ts';
import { statsOf } from '../../../src/tracker/store/stats.ts';
import { idOf } from '../records.ts';

/** A tracker to inspect, with these counts. It reports the events that a test emits. */
export function inspectedTracker(counts: object = {}) {
  const reported: unknown[] = [];
  const { on, emit } = createEmitter((error) => reported.push(error));
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
    emit,
    /** What its listeners have thrown. */
    reported,
    listeners: () => listeners,
    flushesTo: (result: FlushResult) => {
      flushed = result;
    },
  };
}

/** One event of each name. */
export const EVENTS: TrackerEvents = {
  delivered: { ids: ['a', 'b', 'c'], duplicates: 1 },
  rejected: { id: 'a', issues: [{ path: 'eventData.Price', message: 'must be a number' }] },
  dropped: { ids: ['a', 'b'], reason: 'expired' },
  repaired: { record: 'Bought', path: 'eventData.Note', rule: 'must be short', done: 'cut' },
  retrying: { reason: 'network', inMs: 4_000 },
  degraded: { reason: 'no IndexedDB' },
  unmerged: { waitedMs: 5_000 },
  reset: { optedOut: false },
};

/** A record that waits, as a look finds it. */
export function inspectedEvent(seq: number, changed: Partial<InspectedRecord> = {}): InspectedRecord {
  return {
    id: idOf(seq),
    kind: 'event',
    eventName: 'Added to Cart',
    userId: undefined,
    anonymousId: 'someone',
    at: 0,
    fields: { eventName: 'Added to Cart', eventData: { Price: 39.8 } },
    ...changed,
  };
}

/** The same of a user. */
export function inspectedUser(seq: number, changed: Partial<InspectedRecord> = {}): InspectedRecord {
  return {
    ...inspectedEvent(seq),
    kind: 'user',
    eventName: undefined,
    userId: 'johndoe',
    anonymousId: undefined,
    fields: { email: 'john@doe.com' },
    ...changed,
  };
}
