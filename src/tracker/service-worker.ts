import type { AddOn } from './add-ons/add-on.ts';
import { browserPlatform } from './browser-platform.ts';
import { resolveOptions, type TrackerOptions } from './options.ts';
import { nameOf } from './page/settings.ts';
import { startTracker, type Tracker } from './tracker.ts';

export type { AddOn } from './add-ons/add-on.ts';
export { type Consent, type ConsentOptions, consent } from './add-ons/consent.ts';
export { identityTokens } from './add-ons/identity-tokens.ts';
export type { FetchToken } from './add-ons/user-tokens.ts';
export type { Tracker, TrackerOptions };

// Missing in TypeScript's DOM types. https://developer.mozilla.org/docs/Web/API/SyncEvent
type SyncEvent = Event & {
  readonly tag: string;
  waitUntil(end: Promise<unknown>): void;
};

/**
 * Makes your service worker send what pages with `backgroundSync` could not.
 *
 * It sends when there is a network again, whether a page is open or not. Call it while the service
 * worker's script is evaluated, with the `endpoint` of the pages' trackers: it shares their buffer, lock
 * and allowance. Returns a tracker, so that your service worker can track too. Throws a `RangeError` for
 * an invalid option.
 *
 * With `consent()` among the plugins, the worker's own calls wait for `optIn()` in the worker. Records that
 * pages have stored were stored with consent, and are sent all the same.
 */
export function syncInBackground(options: TrackerOptions): Tracker {
  const settings = resolveOptions(options);
  const platform = browserPlatform();
  const { plugins = [] } = options;
  const name = nameOf(settings.endpoint);
  let backOnline = () => {};
  const watchPage: typeof platform.watchPage = (lifecycle) => {
    backOnline = lifecycle.online;
    platform.watchPage(lifecycle);
  };

  // A service worker starts for many reasons: nothing is done before the first call or sync event.
  const start = (addOns: readonly AddOn[], on = platform): Tracker => {
    const { madeAt: _, ...tracker } = startTracker(settings, on, addOns, true);
    return tracker;
  };
  const withoutConsent = plugins.filter(({ asksConsent }) => !asksConsent);
  const sender = start(withoutConsent, { ...platform, watchPage });
  let isDegraded = false;
  sender.on('degraded', () => {
    isDegraded = true;
  });

  /** Rejects unless everything is settled: the browser then tries again by itself. */
  async function sendAll(): Promise<void> {
    // If no page has created a buffer, there is nothing to send, and none is created.
    const databases = await indexedDB.databases();
    if (!databases.some((database) => database.name === name)) return;
    void sender.stats();
    // The event says that the network is back. A worker that has just started got no `online` event.
    backOnline();
    const end = await sender.flush();
    // It is no use to retry a record that waits for a sign-in.
    if (!end.settled && end.retryInMs < Number.POSITIVE_INFINITY)
      throw new Error(`Records will be retried: ${end.reason}`);
    // Nothing was found, because nothing could be read.
    if (isDegraded) throw new Error('The database of waiting records does not open');
  }

  addEventListener('sync', (event) => {
    const sync = event as SyncEvent;
    if (sync.tag === name) sync.waitUntil(sendAll());
  });
  return withoutConsent.length < plugins.length ? start(plugins) : sender;
}
