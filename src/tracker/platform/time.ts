import type {} from './missing-in-dom.ts';

/** Runs something later; answers with what calls it off. */
type Timer = (run: () => void, afterMs: number) => () => void;

/** What time it is, and will be. */
export type Time = {
  /** Milliseconds since 1970 by the visitor's clock, which may be wrong and may be put right at any moment. */
  readonly wall: () => number;
  /** Milliseconds since some moment, by a clock that does not jump while the page lives. */
  readonly mono: () => number;
  readonly timer: Timer;
};

/** Runs a task outside the caller's zone, where there are zones. */
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

/** The promise's own end, or a rejection where it does not settle in time. */
export type Timeout = <T>(promise: Promise<T>, afterMs: number) => Promise<T>;

export const timeout: Timeout = (promise, afterMs) =>
  new Promise((resolve, reject) => {
    const hung = () => reject(new Error(`no answer in ${afterMs} ms`));
    // In two: where the page itself stood still for so long, the answer comes before the second.
    let cancel = time.timer(() => {
      cancel = time.timer(hung, afterMs / 2);
    }, afterMs / 2);
    promise.then(resolve, reject).finally(() => cancel());
  });
