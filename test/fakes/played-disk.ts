import { memoryStore } from '../../src/tracker/store/memory-store.ts';
import type { RecordStore } from '../../src/tracker/store/record-store.ts';

type Operation = { readonly page: object; readonly run: () => Promise<void> };

/**
 * The database that all pages of a browser share: one operation at a time, in the order they were begun, like IndexedDB's.
 * While it is held nothing is answered, and what is then still pending when a page dies is lost with it.
 */
export function playedDisk() {
  const shared = memoryStore();
  let pending: Operation[] = [];
  let isHeld = false;

  async function goOn(): Promise<void> {
    // Nothing is answered in the task that asks.
    await Promise.resolve();
    if (isHeld) return;
    await pending.shift()?.run();
  }

  function connect() {
    const page = {};
    let lives = true;
    const begin = <T>(operation: (storage: RecordStore) => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        if (!lives) return;
        const run = async () => {
          try {
            const result = await operation(shared);
            if (lives) resolve(result);
          } catch (error) {
            reject(error);
          }
        };
        pending.push({ page, run });
        void goOn();
      });
    const storage: RecordStore = {
      append: (change) => begin((storage) => storage.append(change)),
      peek: (...which) => begin((storage) => storage.peek(...which)),
      remove: (records, end) => begin((storage) => storage.remove(records, end)),
      get: (name) => begin((storage) => storage.get(name)),
      update: (name, change) => begin((storage) => storage.update(name, change)),
    };
    return {
      storage,
      /** Dies. Of what was pending the oldest so many are still done, though nobody hears of it. */
      die: async (done = 0) => {
        lives = false;
        const own = pending.filter((operation) => operation.page === page);
        pending = pending.filter((operation) => operation.page !== page);
        for (const { run } of own.slice(0, done)) await run();
      },
    };
  }

  return {
    connect,
    hold: () => {
      isHeld = true;
    },
    /** Answers all that waits. */
    release: () => {
      isHeld = false;
      for (let count = pending.length; count > 0; count--) void goOn();
    },
    /** Answers the oldest operation that waits, and no other. */
    answerOne: async () => {
      await pending.shift()?.run();
    },
    pending: () => pending.length,
    /** What lies there, for the test to look at; no operation of any page. */
    buffered: () => shared.peek(Number.POSITIVE_INFINITY),
    state: shared,
  };
}
