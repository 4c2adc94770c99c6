/** Runs something later; answers with what calls it off. */
export type Timer = (run: () => void, afterMs: number) => () => void;

/** What time it is, and will be. */
export type Time = {
  /** Milliseconds since 1970 by the visitor's clock, which may be wrong and may be put right at any moment. */
  readonly wall: () => number;
  /** Milliseconds since some moment, by a clock that does not jump while the page lives. */
  readonly mono: () => number;
  readonly timer: Timer;
};

// Zone.js, which Angular loads, watches the timers and requests made in its zones: a tracker's must not keep an app from
// becoming stable. https://github.com/angular/angular/issues/20970
type Zone = { readonly root: { readonly run: <T>(task: () => T) => T } };

/** Runs a task outside the caller's zone, where there are zones. */
export function outsideZones<T>(task: () => T): T {
  const { Zone } = globalThis as { readonly Zone?: Zone };
  return Zone?.root?.run ? Zone.root.run(task) : task();
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
