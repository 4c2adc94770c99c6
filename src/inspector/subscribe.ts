import type { Tracker, TrackerEvents } from '../tracker/index.ts';
import { ownFields, timeout } from '../tracker/inspect.ts';
import type { TrackerEvent } from './journal.ts';
import type { TrackerSeen } from './view-model.ts';

/** What an inspector asks of a tracker: any has it, and so has what stands there until its script has loaded. */
export type InspectedTracker = Pick<Tracker, 'on' | 'stats' | 'flush'>;

/** What queues calls until the tracker's script has loaded, which then gives the queue a `push` of its own. */
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
 * Listens to all events of a tracker, and returns a function that ends it. A tracker that can't start reports none.
 * What `onEvent` throws stays here: to a tracker, a listener that throws is an error of the page.
 */
export function subscribe(tracker: InspectedTracker, onEvent: (event: TrackerEvent) => void): () => void {
  const ends = (Object.keys(NAMES) as (keyof TrackerEvents)[]).map(async (name) => {
    try {
      // A promise before the script has loaded. It rejects where the tracker can't start.
      return await tracker.on(name, (payload) => {
        try {
          onEvent({ name, payload: ownFields(payload) } as TrackerEvent);
        } catch {
          // None of our trackers reports this: there is nothing to show of it.
        }
      });
    } catch {
      // The next look says so: it asks the same tracker.
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

/** The tracker that a script tag has left on the page, or what stands there until it has loaded. */
export function trackerOfPage(): InspectedTracker | undefined {
  const { on, stats } = webengageRelay();
  if (!on || !stats) return undefined;
  // The page's own object, which is the same at each look.
  return (globalThis as unknown as { readonly webengageRelay: InspectedTracker }).webengageRelay;
}

/** The settings that stand on the page's stub. */
export function optionsOfPage(): unknown {
  return webengageRelay().options;
}

/** The calls that wait for a tracker's script, as long as it has not loaded: calls made by then only join them. */
export function queuedFor(tracker: InspectedTracker): Stub['queue'] {
  const { queue } = ownFields(tracker as Stub);
  return queue && !Object.hasOwn(queue, 'push') ? queue : undefined;
}

const SILENT_AFTER_MS = 3_000;

/** How a tracker is doing. Never rejects, and asks nothing of one that has not loaded. */
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
