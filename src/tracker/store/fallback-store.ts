import { memoryStorage } from './memory-store.ts';
import type { Storage } from './record-store.ts';

/** The promise's own end, or a rejection where it does not settle in time. */
export type Timeout = <T>(promise: Promise<T>, afterMs: number) => Promise<T>;

// Some browsers never answer an `open()`. https://bugs.webkit.org/show_bug.cgi?id=226547
export const HUNG_AFTER_MS = 2_000;

/**
 * Durable storage that never fails: a failing operation is tried once more on a new connection,
 * and after that memory takes over for the rest of the page's life.
 *
 * @param open opens the durable storage; throws or rejects where there is none
 * @param tellDegraded is called once, when records no longer outlive the page
 */
export function dependableStorage(
  open: () => Storage,
  timeout: Timeout,
  tellDegraded: (why: unknown) => void,
): Storage {
  const degrade = (why: unknown): Storage => {
    tellDegraded(why);
    return memoryStorage();
  };
  const openOrDegrade = (): Storage => {
    try {
      return open();
    } catch (why) {
      return degrade(why);
    }
  };

  let current = openOrDegrade();
  let reopened = false;
  // What has the operations that have not ended tried again.
  const pending = new Set<() => void>();

  const attempt = <T>(operation: (storage: Storage) => Promise<T>): Promise<T> =>
    new Promise((resolve) => {
      const used = current;
      const again = () => resolve(attempt(operation));
      pending.add(again);
      timeout(operation(used), HUNG_AFTER_MS).then(
        (result) => {
          pending.delete(again);
          if (used === current) reopened = false;
          resolve(result);
        },
        (why) => {
          if (used !== current) return; // It has gone on already.
          current = reopened ? degrade(why) : openOrDegrade();
          reopened = true;
          // All that wait for a broken connection go on at once, in their order, on the next one.
          const waiting = [...pending];
          pending.clear();
          for (const each of waiting) each();
        },
      );
    });

  return {
    append: (entries) => attempt((storage) => storage.append(entries)),
    peek: (...which) => attempt((storage) => storage.peek(...which)),
    remove: (records, end) => attempt((storage) => storage.remove(records, end)),
    clear: () => attempt((storage) => storage.clear()),
    get: (name) => attempt((storage) => storage.get(name)),
    update: (name, change) => attempt((storage) => storage.update(name, change)),
  };
}
