import { openDatabase, type Timeout } from '../store/database.ts';
import { type RecordStore, recordStore } from '../store/record-store.ts';
import { askForSync } from './background-sync.ts';
import { localPageStorage, type PageStorage } from './local-storage.ts';
import { type PageLifecycle, watchPage, whenActivated } from './page-lifecycle.ts';
import { type Exclusive, tabLock } from './tab-lock.ts';
import { outsideZones, type Time, time } from './time.ts';

/** `fetchLater`, where the browser has it. https://developer.mozilla.org/docs/Web/API/Window/fetchLater */
export type FetchLater = (url: string, init: RequestInit) => unknown;

/** All the tracker asks of where it runs. Tests play it. */
export type Platform = {
  readonly time: Time;
  readonly chance: { readonly random: () => number; readonly bytes: (count: number) => Uint8Array };
  readonly fetch: typeof fetch;
  readonly fetchLater: FetchLater | undefined;
  /** Opens it with the first operation. */
  readonly store: (name: string, tellDegraded: (why: unknown) => void) => RecordStore;
  readonly pageStorage: PageStorage;
  readonly exclusive: (name: string) => Exclusive;
  /** Resolves once there is a visitor to see the page. */
  readonly activated: () => Promise<void>;
  /** The address of the page as it is now; none in a worker, whose location is its script's. */
  readonly address: () => string | undefined;
  readonly watchPage: (lifecycle: PageLifecycle) => void;
  /** To be called once, early; what it answers with asks for a sync event in the site's service worker. */
  readonly askForSync: (tag: string) => () => void;
  /** Hands the page an error of its own, through its own error handling. */
  readonly report: (error: unknown) => void;
};

export const timeout: Timeout = (promise, afterMs) =>
  new Promise((resolve, reject) => {
    const hung = () => reject(new Error(`no answer in ${afterMs} ms`));
    // In two: where the page itself stood still for so long, the answer comes before the second.
    let cancel = time.timer(() => {
      cancel = time.timer(hung, afterMs / 2);
    }, afterMs / 2);
    promise.then(resolve, reject).finally(() => cancel());
  });

/** The browser: a page or a worker. On a server it works too, in memory. */
export function browserPlatform(): Platform {
  return {
    time,
    chance: { random: Math.random, bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    // At the call, not at creation: pages and their tools wrap `fetch` as they go.
    fetch: (...request) => outsideZones(() => fetch(...request)),
    fetchLater: (globalThis as { readonly fetchLater?: FetchLater }).fetchLater?.bind(globalThis),
    store: (name, tellDegraded) => recordStore(openDatabase(name, timeout, tellDegraded)),
    pageStorage: localPageStorage,
    exclusive: (name) => tabLock(name, globalThis.navigator?.locks),
    activated: whenActivated,
    address: () => globalThis.document?.URL,
    watchPage,
    askForSync,
    report: (error) =>
      queueMicrotask(() => {
        throw error;
      }),
  };
}
