/** Runs one task at a time. */
export type Exclusive = <T>(task: () => Promise<T>) => Promise<T>;

// Longer than any task: a request is aborted after 15 s. A browser may fail to free the lock of a worker
// that is gone. Then the same client holds it before and after the wait. With many tabs that wait, others
// have had it meanwhile.
// https://bugs.webkit.org/show_bug.cgi?id=316904
const WAIT_MS = 30_000;

/**
 * Runs one task at a time across all tabs of an origin, under a Web Lock.
 * The lock is held only while a task runs. A page that holds one in the back/forward cache is evicted as soon
 * as another tab wants it.
 *
 * Without locks, as on insecure pages, or if a lock is never released, the task runs beside those of other
 * tabs. Nothing is lost, doubled or reordered by that. Each tab sends a batch only after the one before it
 * was answered, and the relay accepts a record once.
 */
export function tabLock(name: string, locks: LockManager | undefined): Exclusive {
  let last: Promise<unknown> = Promise.resolve();

  /** Always one at a time within this page. */
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
        let before: string | undefined;
        try {
          before = await holder(locks, name);
          return await locks.request(
            name,
            { __proto__: null, signal: AbortSignal.timeout(WAIT_MS) } as LockOptions,
            start,
          );
        } catch (error) {
          if (hasStarted) throw error;
          // Locks are denied, or the same client has held the lock all the time.
          if ((error as Error).name !== 'TimeoutError' || (await holder(locks, name)) === before)
            return start();
        }
      }
    });
}

/** The page or worker that holds the lock. */
async function holder(locks: LockManager, name: string): Promise<string | undefined> {
  const { held } = await locks.query();
  return held?.find((lock) => lock.name === name)?.clientId;
}
