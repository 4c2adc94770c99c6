import type {} from './missing-in-dom.ts';

/** Runs a function later. Returns a function that cancels it. */
type Timer = (run: () => void, afterMs: number) => () => void;

/** The time, and timers. */
export type Time = {
  /**
   * Milliseconds since 1970 by the visitor's clock, which may be wrong, and may be corrected at any moment.
   */
  readonly wall: () => number;
  /** Milliseconds since some moment, by a clock that does not jump during a page load. */
  readonly mono: () => number;
  readonly timer: Timer;
};

/** Runs a task outside the caller's zone, if there are zones. */
export function outsideZones<T>(task: () => T): T {
  const { Zone } = globalThis;
  return typeof Zone?.root?.run === 'function' ? Zone.root.run(task) : task();
}

const { now } = Date;

export const time: Time = {
  wall: now,
  mono: () => globalThis.performance?.now() ?? now(),
  timer: (run, afterMs) => {
    const id = outsideZones(() => setTimeout(run, afterMs));
    return () => clearTimeout(id);
  },
};

/** Settles like the promise, or rejects if that takes too long. */
export type Timeout = <T>(promise: Promise<T>, afterMs: number) => Promise<T>;

export const timeout: Timeout = (promise, afterMs) =>
  new Promise((resolve, reject) => {
    const hung = () => reject(new Error(`no answer in ${afterMs} ms`));
    // In two halves: if the page itself was suspended for this long, the answer comes before the
    // second timer ends.
    let cancel = time.timer(() => {
      cancel = time.timer(hung, afterMs / 2);
    }, afterMs / 2);
    promise.then(resolve, reject).finally(() => cancel());
  });
