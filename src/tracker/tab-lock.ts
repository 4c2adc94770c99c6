/** Runs one task at a time. */
export type Exclusive = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * One task at a time over all tabs of an origin, by a Web Lock held only while the task runs:
 * a page that holds one in the back/forward cache is evicted from it as soon as another tab wants it.
 * Where there are no Web Locks (insecure pages), one at a time in this page; the relay deduplicates the rest.
 */
export function tabLock(name: string, locks: LockManager | undefined): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  const inThisPage: Exclusive = (task) => {
    const turn = last.then(task, task);
    last = turn.catch(() => {});
    return turn;
  };
  if (locks === undefined) return inThisPage;

  return async <T>(task: () => Promise<T>): Promise<T> => {
    let started = false;
    try {
      return await locks.request(name, () => {
        started = true;
        return task();
      });
    } catch (error) {
      // Denied, as in a sandboxed frame: that is not the task's own failure.
      if (started) throw error;
      return inThisPage(task);
    }
  };
}
