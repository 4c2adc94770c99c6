/** Runs one task at a time. */
export type Exclusive = <T>(task: () => Promise<T>) => Promise<T>;

// A tab that holds a lock and is frozen by the browser does not let go of it. Longer than any task of a tab that lives:
// a request is given up after 15 s.
const STEAL_AFTER_MS = 30_000;

/**
 * One task at a time over all tabs of an origin, by a Web Lock held only while the task runs:
 * a page that holds one in the back/forward cache is evicted from it as soon as another tab wants it.
 * A lock that is held for too long is stolen: the task that had it may go on beside the next one.
 *
 * @param otherwise takes over where there are no Web Locks, or where they are denied
 */
export function tabLock(name: string, locks: LockManager | undefined, otherwise: Exclusive): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  const withoutLocks: Exclusive = (task) => {
    const turn = last.then(() => otherwise(task));
    last = turn.catch(() => {});
    return turn;
  };
  if (!locks) return withoutLocks;

  return async <T>(task: () => Promise<T>): Promise<T> => {
    let started = false;
    const request = (options: LockOptions) =>
      locks.request(name, options, () => {
        started = true;
        return task();
      });
    try {
      return await request({ signal: AbortSignal.timeout(STEAL_AFTER_MS) });
    } catch (error) {
      // The task's own failure; or it was stolen from, and goes on by itself.
      if (started) throw error;
      return (error as Error).name === 'TimeoutError' ? request({ steal: true }) : withoutLocks(task);
    }
  };
}
