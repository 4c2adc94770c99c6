/** Runs one task at a time. */
export type Exclusive = <T>(task: () => Promise<T>) => Promise<T>;

// Longer than any task: a request is given up after 15 s. A browser may forget to free the lock of a worker that is gone,
// and then the same one holds it before the wait and after it; with many tabs that wait, others have had it meanwhile.
// https://bugs.webkit.org/show_bug.cgi?id=316904
const WAIT_MS = 30_000;

/**
 * One task at a time over all tabs of an origin, by a Web Lock held only while the task runs:
 * a page that holds one in the back/forward cache is evicted from it as soon as another tab wants it.
 *
 * Without locks, as on insecure pages, and where one is never let go, the task runs beside those of other tabs. Nothing is
 * lost or doubled by that, nor is the order: each tab sends a batch only after the one before it was answered, and the
 * relay takes a record once.
 */
export function tabLock(name: string, locks: LockManager | undefined): Exclusive {
  let last: Promise<unknown> = Promise.resolve();

  /** Within this page one at a time in any case. */
  const inTurn: Exclusive = (task) => {
    const turn = last.then(task);
    last = turn.catch(() => {});
    return turn;
  };

  return (task) =>
    inTurn(async () => {
      let hasStarted = false;
      const start = () => {
        hasStarted = true;
        return task();
      };
      if (!locks) return start();
      for (;;) {
        const before = await holder(locks, name);
        try {
          return await locks.request(
            name,
            { __proto__: null, signal: AbortSignal.timeout(WAIT_MS) } as LockOptions,
            start,
          );
        } catch (error) {
          if (hasStarted) throw error;
          // Denied, or held by the same one all the time.
          if ((error as Error).name !== 'TimeoutError' || (await holder(locks, name)) === before)
            return start();
        }
      }
    });
}

/** Which page or worker holds the lock; undefined where the browser does not say. */
async function holder(locks: LockManager, name: string): Promise<string | undefined> {
  try {
    const { held = [] } = await locks.query();
    return held.find((lock) => lock.name === name)?.clientId;
  } catch {
    return undefined;
  }
}
