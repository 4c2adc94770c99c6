import { promisifyRequest } from 'idb-keyval';
import type { Time, Timer } from '../delivery/flush-schedule.ts';
import { askForSync } from '../platform/background-sync.ts';
import { localPageStorage, type PageStorage } from '../platform/local-storage.ts';
import { type PageMoments, shown, watchPage } from '../platform/page-lifecycle.ts';
import { type Exclusive, tabLock } from '../platform/tab-lock.ts';
import { attempt } from '../platform/try-or-undefined.ts';
import { dependableStorage, HUNG_AFTER_MS, type Timeout } from '../store/fallback-store.ts';
import { indexedDbStorage } from '../store/indexed-db-store.ts';
import { leased } from '../store/lease.ts';
import type { StateStore, Storage } from '../store/record-store.ts';
import type { FetchLater } from '../unload/fetch-later.ts';

/** All the tracker asks of where it runs. Tests play it. */
export type Platform = {
  readonly time: Time;
  readonly chance: { readonly random: () => number; readonly bytes: (count: number) => Uint8Array };
  readonly fetch: typeof fetch;
  readonly fetchLater: FetchLater | undefined;
  /** Opens none while it must not. */
  readonly storage: (name: string, tellDegraded: (why: unknown) => void, mayOpen: () => boolean) => Storage;
  /** Removes what a storage of this name has kept, if there is any. Never rejects. */
  readonly removeStorage: (name: string) => Promise<unknown>;
  readonly pageStorage: PageStorage;
  readonly exclusive: (name: string, state: StateStore, holder: string) => Exclusive;
  /** Resolves once there is a visitor to see the page. */
  readonly shown: () => Promise<void>;
  /** The address of the page as it is now; none in a worker, whose location is its script's. */
  readonly address: () => string | undefined;
  /** Whether the visitor's browser sends Global Privacy Control. */
  readonly sendsGpc: () => boolean;
  readonly watchPage: (moments: PageMoments) => void;
  /** To be called once, early; what it answers with asks for a sync event in the site's service worker. */
  readonly askForSync: (tag: string) => () => void;
  /** Hands the page an error of its own, through its own error handling. */
  readonly report: (error: unknown) => void;
};

// Not in TypeScript's DOM. https://www.w3.org/TR/gpc/
type GpcNavigator = Navigator & { readonly globalPrivacyControl?: boolean };

const timer: Timer = (run, afterMs) => {
  const id = setTimeout(run, afterMs);
  return () => clearTimeout(id);
};

const time: Time = { now: Date.now, timer };

export const timeout: Timeout = (promise, afterMs) =>
  new Promise((resolve, reject) => {
    const hung = () => reject(new Error(`no answer in ${afterMs} ms`));
    // In two: where the page itself stood still for so long, the answer comes before the second.
    let cancel = timer(() => {
      cancel = timer(hung, afterMs / 2);
    }, afterMs / 2);
    promise.then(resolve, reject).finally(() => cancel());
  });

/** The browser: a page or a worker. On a server it works too, in memory. */
export function browserPlatform(): Platform {
  return {
    time,
    chance: { random: Math.random, bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    // At the call, not at creation: pages and their tools wrap `fetch` as they go.
    fetch: (...request) => fetch(...request),
    fetchLater: (globalThis as { readonly fetchLater?: FetchLater }).fetchLater?.bind(globalThis),
    storage: (name, tellDegraded, mayOpen) =>
      dependableStorage(
        () => {
          if (!mayOpen()) throw new Error('may not be opened');
          return indexedDbStorage(name);
        },
        timeout,
        tellDegraded,
      ),
    // There may be none; or one that a frozen tab holds on to, and it goes when that tab does.
    removeStorage: async (name) =>
      attempt(() => timeout(promisifyRequest(indexedDB.deleteDatabase(name)), HUNG_AFTER_MS).catch(() => {})),
    pageStorage: localPageStorage,
    exclusive: (name, state, holder) =>
      tabLock(name, globalThis.navigator?.locks, leased(state, holder, time)),
    shown,
    address: () => globalThis.document?.URL,
    sendsGpc: () => (globalThis.navigator as GpcNavigator | undefined)?.globalPrivacyControl === true,
    watchPage,
    askForSync,
    report: (error) =>
      queueMicrotask(() => {
        throw error;
      }),
  };
}
