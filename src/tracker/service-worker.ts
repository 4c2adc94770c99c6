import { browserPlatform } from './engine/platform.ts';
import { nameOf, resolveOptions, type TrackerOptions } from './options.ts';
import { startTracker, type Tracker } from './tracker.ts';

export type { Tracker, TrackerOptions };

// Not in TypeScript's DOM. https://developer.mozilla.org/docs/Web/API/SyncEvent
type SyncEvent = Event & {
  readonly tag: string;
  waitUntil(end: Promise<unknown>): void;
};

/**
 * Has the site's service worker send what pages with `backgroundSync` could not: when there is a network again, be any
 * page open or not. To be called as the service worker's script is evaluated, with the `endpoint` of the pages' trackers:
 * it shares their buffer, their lock and their allowance. Answers with the tracker, by which a service worker can track too.
 * Throws a `RangeError` for an impossible option.
 */
export function syncInBackground(options: TrackerOptions): Tracker {
  const settings = resolveOptions(options);
  const platform = browserPlatform();
  let backOnline = () => {};
  const name = nameOf(settings.endpoint);
  let opened = 0;
  // It starts for many a reason. Here nobody can be asked whether the visitor has opted out, but a buffer that pages have made
  // says that none has: without one there is nothing to do, and one that is gone is not made again.
  const { madeAt: _, ...tracker } = startTracker(
    settings,
    {
      ...platform,
      storage: (of, tellDegraded) => platform.storage(of, tellDegraded, () => opened++ === 0),
      watchPage: (moments) => {
        backOnline = moments.online;
        platform.watchPage(moments);
      },
    },
    true,
  );
  let degraded = false;
  tracker.on('degraded', () => {
    degraded = true;
  });

  /** Rejects unless all is settled: the browser then tries again by itself. */
  async function sendAll(): Promise<void> {
    const databases = await indexedDB.databases();
    if (databases.every((database) => database.name !== name)) return;
    void tracker.stats();
    // The event is the browser's word that the network is back, which a worker that has just started was not told.
    backOnline();
    const end = await tracker.flush();
    // What waits for somebody to sign in is in vain to try again.
    if (!end.settled && end.retryInMs < Number.POSITIVE_INFINITY)
      throw new Error(`Records wait, to be sent again: ${end.reason}`);
    // Nothing was found, because nothing could be looked into.
    if (degraded) throw new Error('Records wait in a database that does not open');
  }

  addEventListener('sync', (event) => {
    const sync = event as SyncEvent;
    if (sync.tag === name) sync.waitUntil(sendAll());
  });
  return tracker;
}
