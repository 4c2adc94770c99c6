import type { Timer } from '../platform/time.ts';
import type { FlushEnd } from './next-step.ts';

export type FlushSchedule = {
  /** Flushes now what was made before a moment; before now, if none is given. */
  readonly now: (dueBefore?: number) => Promise<FlushEnd>;
  /** To be told after an append: so many records wait. */
  readonly appended: (waiting: number) => void;
};

// A flush that fails by itself, which none should: its records are still in the buffer, and are tried again.
const AFTER_FAULT: FlushEnd = {
  step: 'wait',
  forMs: 30_000,
  reason: 'internal_error',
  oldestAgeMs: Number.POSITIVE_INFINITY,
};

// The longest a timer can be set for; a longer one would fire at once.
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Decides when to flush: by number, by age, and again after a wait. One at a time, and at most one more after it. */
export function flushSchedule(
  run: (dueBefore?: number) => Promise<FlushEnd>,
  timer: Timer,
  { batchSize, maxWaitMs }: { readonly batchSize: number; readonly maxWaitMs: number },
): FlushSchedule {
  let running: Promise<FlushEnd> | undefined;
  let next: Promise<FlushEnd> | undefined;
  let appendedMeanwhile = 0;
  let cancelTimer: (() => void) | undefined;
  let mustWait = false;

  function arm(forMs: number | undefined): void {
    cancelTimer?.();
    cancelTimer =
      forMs === undefined
        ? undefined
        : timer(
            () => {
              cancelTimer = undefined;
              mustWait = false;
              void now();
            },
            Math.min(forMs, MAX_TIMER_MS),
          );
  }

  async function begin(dueBefore?: number): Promise<FlushEnd> {
    appendedMeanwhile = 0;
    running = run(dueBefore).catch(() => AFTER_FAULT);
    const end = await running;
    running = undefined;
    mustWait = end.step === 'wait';
    arm(end.forMs);
    // It may have looked before they came; the next one will not have.
    if (appendedMeanwhile > 0 && !next) appended(appendedMeanwhile);
    return end;
  }

  function now(dueBefore?: number): Promise<FlushEnd> {
    if (!running) return begin(dueBefore);
    next ??= running.then(() => {
      next = undefined;
      return begin();
    });
    return next;
  }

  function appended(waiting: number): void {
    if (running) appendedMeanwhile = waiting;
    else if (mustWait) return;
    else if (waiting >= batchSize) void now();
    else if (!cancelTimer) arm(maxWaitMs);
  }

  return { now, appended };
}
