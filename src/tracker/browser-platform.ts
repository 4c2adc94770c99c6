import { promisifyRequest } from 'idb-keyval';
import type { Platform } from './page/platform.ts';
import { askForSync } from './platform/background-sync.ts';
import { localPageStorage } from './platform/local-storage.ts';
import type {} from './platform/missing-in-dom.ts';
import { isClosed, watchPage, whenActivated } from './platform/page-lifecycle.ts';
import { tabLock } from './platform/tab-lock.ts';
import { outsideZones, time, timeout } from './platform/time.ts';
import { tryOrUndefined } from './platform/try-or-undefined.ts';
import { connect, HUNG_AFTER_MS, openDatabase } from './store/database.ts';
import { recordStore } from './store/record-store.ts';

/** The browser: a page or a worker. On a server the tracker works too, in memory. */
export function browserPlatform(): Platform {
  return {
    time,
    chance: { random: Math.random, bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    // Looked up at each call, not at creation: pages and their tools wrap `fetch` at any time.
    fetch: (...request) => outsideZones(() => fetch(...request)),
    fetchLater: globalThis.fetchLater?.bind(globalThis),
    store: (name, reportDegraded) => recordStore(openDatabase(() => connect(name), timeout, reportDegraded)),
    // There may be no database. If a frozen tab holds it open, the browser deletes it when that tab closes.
    removeStore: async (name) =>
      tryOrUndefined(() =>
        timeout(
          promisifyRequest(indexedDB.deleteDatabase(name)).then(() => true),
          HUNG_AFTER_MS,
        ).catch(() => {}),
      ),
    pageStorage: localPageStorage,
    exclusive: (name) => tabLock(name, globalThis.navigator?.locks),
    activated: whenActivated,
    address: () => globalThis.document?.URL,
    watchPage,
    isClosed,
    askForSync,
    report: (error) =>
      queueMicrotask(() => {
        throw error;
      }),
  };
}
