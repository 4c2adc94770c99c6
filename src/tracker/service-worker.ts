import { nameOf, resolveOptions, type TrackerOptions } from './options.ts';
import { browserPlatform } from './platform/platform.ts';
import { startTracker, type Tracker } from './tracker.ts';

export type { Tracker, TrackerOptions };

// Not in TypeScript's DOM. https://developer.mozilla.org/docs/Web/API/SyncEvent
type SyncEvent = Event & {
  readonly tag: string;
  waitUntil(end: Promise<unknown>): void;
};

/**
 * Has the site's service worker send what pages with `backgroundSync` could not: when there is a network again, whether a
 * page is open or not. To be called as the service worker's script is evaluated, with the `endpoint` of the pages' trackers:
 * it shares their buffer, their lock and their allowance. Answers with the tracker, by which a service worker can track too.
 * Throws a `RangeError` for an impossible option.
 */
export function syncInBackground(options: TrackerOptions): Tracker {
  const settings = resolveOptions(options);
  const platform = browserPlatform();
  const name = nameOf(settings.endpoint);
  let backOnline = () => {};
  // A service worker starts for many a reason: nothing is done before the first call or sync event.
  const { madeAt: _, ...tracker } = startTracker(
    settings,
    {
      ...platform,
      watchPage: (lifecycle) => {
        backOnline = lifecycle.online;
        platform.watchPage(lifecycle);
      },
    },
    { ...options, isPassive: true },
  );
  let isDegraded = false;
  tracker.on('degraded', () => {
    isDegraded = true;
  });

  /** Rejects unless all is settled: the browser then tries again by itself. */
  async function sendAll(): Promise<void> {
    // Where no page has made a buffer there is nothing to send, and none is made.
    const databases = await indexedDB.databases();
    if (!databases.some((database) => database.name === name)) return;
    void tracker.stats();
    // The event is the browser's word that the network is back, which a worker that has just started was not told.
    backOnline();
    const end = await tracker.flush();
    // A record that waits for a sign-in is in vain to try again.
    if (!end.settled && end.retryInMs < Number.POSITIVE_INFINITY)
      throw new Error(`Records wait, to be sent again: ${end.reason}`);
    // Nothing was found, because nothing could be looked into.
    if (isDegraded) throw new Error('Records wait in a database that does not open');
  }

  addEventListener('sync', (event) => {
    const sync = event as SyncEvent;
    if (sync.tag === name) sync.waitUntil(sendAll());
  });
  return tracker;
}
