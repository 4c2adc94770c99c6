import type { TrackerEvents } from '../tracker/engine/events.ts';
import { timeout } from '../tracker/engine/platform.ts';
import type { Tracker } from '../tracker/tracker.ts';
import type { Told } from './journal.ts';
import type { TrackerSeen } from './picture.ts';

/** What an inspector asks of a tracker: any has it, and so has what stands there until its script has loaded. */
export type InspectedTracker = Pick<Tracker, 'on' | 'stats' | 'flush'>;

/** What queues calls until the tracker's script has loaded, which then gives the queue a `push` of its own. */
type Stub = { readonly queue?: readonly (readonly [method: string])[] };

const NAMES: { readonly [name in keyof TrackerEvents]: true } = {
  delivered: true,
  rejected: true,
  dropped: true,
  repaired: true,
  retrying: true,
  degraded: true,
};

/** Listens to all that a tracker tells; answers with what ends it. Of a tracker that can't start it hears nothing. */
export function listenTo(tracker: InspectedTracker, hear: (told: Told) => void): () => void {
  const ends = (Object.keys(NAMES) as (keyof TrackerEvents)[]).map(async (name) => {
    try {
      // Before the script has loaded it is a promise, which rejects where the tracker can't start.
      return await tracker.on(name, (told) => hear({ name, told } as Told));
    } catch {
      // The next look says so: it asks the same tracker.
      return undefined;
    }
  });
  return () => {
    for (const end of ends) void end.then((stop) => stop?.());
  };
}

/** The tracker that a script tag has left on the page, or what stands there until it has loaded. */
export function trackerOfPage(): InspectedTracker | undefined {
  const { webengageRelay } = globalThis as { readonly webengageRelay?: Partial<InspectedTracker> };
  return webengageRelay?.on && webengageRelay.stats ? (webengageRelay as InspectedTracker) : undefined;
}

/** The calls that wait for a tracker's script, as long as it has not loaded: what is asked of it by then only joins them. */
export function queuedFor(tracker: InspectedTracker): Stub['queue'] {
  const { queue } = tracker as Stub;
  return queue && !Object.hasOwn(queue, 'push') ? queue : undefined;
}

const SILENT_AFTER_MS = 3_000;

/** How a tracker stands. Never rejects, and asks nothing of one that has not loaded. */
export async function lookAtTracker(tracker: InspectedTracker | undefined): Promise<TrackerSeen> {
  if (tracker === undefined) return { kind: 'missing' };
  const queue = queuedFor(tracker);
  if (queue)
    return { kind: 'loading', calls: queue.filter(([method]) => /^(identify|track)$/.test(method)).length };
  const silent = (why: unknown): TrackerSeen => ({ kind: 'silent', why: String(why) });
  const asked = async (): Promise<TrackerSeen> => ({ kind: 'there', stats: await tracker.stats() });
  return timeout(asked().catch(silent), SILENT_AFTER_MS).catch(() =>
    silent(`nothing in ${SILENT_AFTER_MS / 1000} s`),
  );
}
