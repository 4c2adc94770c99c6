import type { Timer } from '../platform/time.ts';
import type { FlushEnd } from './next-step.ts';

export type FlushSchedule = {
  /** Flushes now what was made before a moment; before now, if none is given. */
  readonly now: (dueBefore?: number) => Promise<FlushEnd>;
  /** To be told after an append: so many records wait. */
  readonly appended: (waiting: number) => void;
};

// A flush that fails by itself, which none should: its records are still in the buffer, and are tried again.
const AFTER_FAULT: FlushEnd = { reason: 'internal_error', forMs: 30_000 };

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

  function disarm(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    mustWait = false;
  }

  function arm(forMs: number): void {
    cancelTimer = timer(() => {
      disarm();
      void now();
    }, forMs);
  }

  async function begin(dueBefore?: number): Promise<FlushEnd> {
    appendedMeanwhile = 0;
    running = run(dueBefore).catch(() => AFTER_FAULT);
    const end = await running;
    running = undefined;
    disarm();
    mustWait = !!end.reason;
    if (end.forMs) arm(end.forMs);
    // It may have looked before they came; the next one will not have.
    if (appendedMeanwhile && !next) appended(appendedMeanwhile);
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
