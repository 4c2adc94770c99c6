import type { Storage } from './buffer.ts';
import type { Timer } from './flush-schedule.ts';
import { indexedDbStorage } from './indexed-db-storage.ts';
import { memoryStorage } from './memory-storage.ts';
import { type PageMoments, watchPage } from './page.ts';
import { dependableStorage, type Timeout } from './storage.ts';
import { type Exclusive, tabLock } from './tab-lock.ts';

/** All the tracker asks of where it runs. Tests play it. */
export type Platform = {
  readonly time: { readonly now: () => number; readonly timer: Timer };
  readonly chance: { readonly random: () => number; readonly bytes: (count: number) => Uint8Array };
  readonly fetch: typeof fetch;
  readonly storage: (name: string, tellDegraded: (why: unknown) => void) => Storage;
  readonly exclusive: (name: string) => Exclusive;
  readonly watchPage: (moments: PageMoments) => void;
  /** Hands the page an error of its own, through its own error handling. */
  readonly report: (error: unknown) => void;
};

const timer: Timer = (run, afterMs) => {
  const id = setTimeout(run, afterMs);
  return () => clearTimeout(id);
};

const timeout: Timeout = (promise, afterMs) =>
  new Promise((resolve, reject) => {
    const cancel = timer(() => reject(new Error(`no answer in ${afterMs} ms`)), afterMs);
    promise.then(resolve, reject).finally(cancel);
  });

/** The browser: a page or a worker. On a server it works too, in memory. */
export function browserPlatform(): Platform {
  return {
    time: { now: Date.now, timer },
    chance: { random: Math.random, bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    // At the call, not at creation: pages and their tools wrap `fetch` as they go.
    fetch: (...request) => fetch(...request),
    storage: (name, tellDegraded) =>
      dependableStorage({
        open: () => indexedDbStorage(name),
        fallback: memoryStorage,
        timeout,
        tellDegraded,
      }),
    exclusive: (name) => tabLock(name, globalThis.navigator?.locks),
    watchPage,
    report: (error) =>
      queueMicrotask(() => {
        throw error;
      }),
  };
}
