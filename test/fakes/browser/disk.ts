import { memoryTransact } from '../../../src/tracker/store/memory-store.ts';
import type { Connection, Objects } from '../../../src/tracker/store/objects.ts';
import { recordStore } from '../../../src/tracker/store/record-store.ts';

type Operation = { readonly page: object; readonly run: () => Promise<void> };

/** How an operation fails: before anything is written, or after all of it was. */
export type Failure = 'before' | 'after';

/**
 * The database that all pages of a browser share: one operation at a time, in the order they were begun, like IndexedDB's.
 * While it is held nothing is answered, and what is then still pending when a page dies is lost with it.
 */
export function fakeDisk() {
  const shared = memoryTransact();
  const state = recordStore((mode, operation) => shared(mode, (objects) => operation(objects, () => {})));
  let pending: Operation[] = [];
  let failures: Failure[] = [];
  let isHeld = false;
  let recordsRead = 0;

  async function proceed(): Promise<void> {
    // Nothing is answered in the task that asks.
    await Promise.resolve();
    if (isHeld) return;
    await pending.shift()?.run();
  }

  function connect() {
    const page = {};
    let lives = true;
    const transact: Connection = <T>(...[mode, operation]: Parameters<typeof shared<T>>): Promise<T> =>
      new Promise((resolve, reject) => {
        if (!lives) return;
        const run = async () => {
          const failure = failures.shift();
          const lost = new Error('connection lost');
          if (failure === 'before') return reject(lost);
          try {
            const result = await shared(mode, (objects) =>
              operation({
                ...objects,
                getAll: (...range) => {
                  const request = objects.getAll(...range);
                  recordsRead += request.result.flat().length;
                  return request;
                },
              } as Objects),
            );
            if (failure === 'after') return reject(lost);
            if (lives) resolve(result);
          } catch (error) {
            reject(error);
          }
        };
        pending.push({ page, run });
        void proceed();
      });
    return {
      transact,
      store: recordStore((mode, operation) => transact(mode, (objects) => operation(objects, () => {}))),
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
      for (let count = pending.length; count > 0; count--) void proceed();
    },
    /** Answers the oldest operation that waits, and no other. */
    answerOne: async () => {
      await pending.shift()?.run();
    },
    /** Has the next operations fail, each in its way. */
    fail: (...next: readonly Failure[]) => {
      failures = [...next];
    },
    /** How many records pages have read, row by row. */
    recordsRead: () => recordsRead,
    pending: () => pending.length,
    /** What lies there, for the test to look at; no operation of any page. */
    buffered: () => state.peek(Number.POSITIVE_INFINITY),
    state,
  };
}
