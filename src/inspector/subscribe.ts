import type { Tracker, TrackerEvents } from '../tracker/index.ts';
import { ownFields, timeout } from '../tracker/inspect.ts';
import type { TrackerEvent } from './journal.ts';
import type { TrackerSeen } from './view-model.ts';

/** The part of a tracker that an inspector uses. The stub that queues calls has it too. */
export type InspectedTracker = Pick<Tracker, 'on' | 'stats' | 'flush'>;

/** The stub, which queues calls until the tracker's script has loaded. The script then replaces the queue's `push`. */
type Stub = { readonly queue?: readonly (readonly [method: string])[]; readonly options?: unknown };

const NAMES: { readonly [name in keyof TrackerEvents]: true } = {
  delivered: true,
  rejected: true,
  dropped: true,
  repaired: true,
  retrying: true,
  degraded: true,
  unmerged: true,
  reset: true,
};

/**
 * Listens to all events of a tracker, and returns a function that stops it. A tracker that can't start reports none.
 * Errors of `onEvent` are caught: a tracker reports an error of a listener as one of the page.
 */
export function subscribe(tracker: InspectedTracker, onEvent: (event: TrackerEvent) => void): () => void {
  const ends = (Object.keys(NAMES) as (keyof TrackerEvents)[]).map(async (name) => {
    try {
      // Before the script has loaded, this is a promise. It rejects if the tracker can't start.
      return await tracker.on(name, (payload) => {
        try {
          onEvent({ name, payload: ownFields(payload) } as TrackerEvent);
        } catch {
          // No tracker of ours reports this, so there is nothing to show.
        }
      });
    } catch {
      // The next look shows why, because it asks the same tracker.
      return undefined;
    }
  });
  return () => {
    for (const end of ends) void end.then((stop) => stop?.()).catch(() => {}); // A tracker that fails reports nothing anyway.
  };
}

const webengageRelay = () =>
  ownFields(
    (globalThis as { readonly webengageRelay?: Partial<InspectedTracker> & Stub }).webengageRelay ??
      undefined,
  );

/** The tracker that a script tag has left on the page, or its stub. */
export function trackerOfPage(): InspectedTracker | undefined {
  const { on, stats } = webengageRelay();
  if (!on || !stats) return undefined;
  // The page's own object, which is the same at each look.
  return (globalThis as unknown as { readonly webengageRelay: InspectedTracker }).webengageRelay;
}

/** The settings on the page's stub. */
export function optionsOfPage(): unknown {
  return webengageRelay().options;
}

/** The queued calls, if the tracker's script has not loaded: later calls would only join them. */
export function queuedFor(tracker: InspectedTracker): Stub['queue'] {
  const { queue } = ownFields(tracker as Stub);
  return queue && !Object.hasOwn(queue, 'push') ? queue : undefined;
}

const SILENT_AFTER_MS = 3_000;

/** The state of a tracker. Never rejects, and calls nothing on one that has not loaded. */
export async function lookAtTracker(tracker: InspectedTracker | undefined): Promise<TrackerSeen> {
  if (tracker === undefined) return { kind: 'missing' };
  const queue = queuedFor(tracker);
  if (queue)
    return { kind: 'loading', calls: queue.filter(([method]) => /^(identify|track)$/.test(method)).length };
  const silent = (why: unknown): TrackerSeen => ({ kind: 'silent', why: String(why) });
  const asked = async (): Promise<TrackerSeen> => ({ kind: 'there', stats: await tracker.stats() });
  return timeout(asked().catch(silent), SILENT_AFTER_MS).catch(() =>
    silent(`no answer in ${SILENT_AFTER_MS / 1000} s`),
  );
}
