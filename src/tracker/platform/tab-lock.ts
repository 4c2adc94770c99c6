/** Runs one task at a time. */
export type Exclusive = <T>(task: () => Promise<T>) => Promise<T>;

// Longer than any task: a request is given up after 15 s. A browser may forget to free the lock of a worker that is gone.
// https://bugs.webkit.org/show_bug.cgi?id=316904
const WAIT_MS = 30_000;

/**
 * One task at a time over all tabs of an origin, by a Web Lock held only while the task runs:
 * a page that holds one in the back/forward cache is evicted from it as soon as another tab wants it.
 *
 * Without locks, as on insecure pages, and after a long wait for one, the task runs beside those of other tabs. Nothing is
 * lost or doubled by that, nor is the order: each tab sends a batch only after the one before it was answered, and the
 * relay takes a record once.
 */
export function tabLock(name: string, locks: LockManager | undefined): Exclusive {
  let last: Promise<unknown> = Promise.resolve();

  return <T>(task: () => Promise<T>) => {
    // Within this page one at a time in any case.
    const turn = last.then(async () => {
      let started: Promise<T> | undefined;
      const start = () => {
        started = task();
        return started;
      };
      try {
        await locks?.request(name, { signal: AbortSignal.timeout(WAIT_MS) }, start);
      } catch {}
      // What went wrong with it is told by itself.
      return started ?? start();
    });
    last = turn.catch(() => {});
    return turn;
  };
}
