import type { FlushEnd } from './flush.ts';

/** Runs something later; answers with what calls it off. */
export type Timer = (run: () => void, afterMs: number) => () => void;

export type FlushSchedule = {
  /** Flushes now what was made before a moment; before now, if none is given. */
  readonly now: (dueBefore?: number) => Promise<FlushEnd>;
  /** To be told after an append: so many records wait. */
  readonly appended: (waiting: number) => void;
};

// A flush that fails by itself, which none should: its records are still in the buffer, and this brings them back to it.
const AFTER_FAULT: FlushEnd = { step: 'rest', forMs: 30_000 };

// The longest a timer can be set for; a longer one would fire at once.
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Decides when to flush: by number, by age, and again after a wait. */
export function flushSchedule(
  run: (dueBefore?: number) => Promise<FlushEnd>,
  timer: Timer,
  { batchSize, maxWaitMs }: { readonly batchSize: number; readonly maxWaitMs: number },
): FlushSchedule {
  let cancelTimer: (() => void) | undefined;
  let mustWait = false;

  function arm(end: FlushEnd): void {
    cancelTimer?.();
    mustWait = end.step === 'wait';
    cancelTimer =
      end.forMs === undefined
        ? undefined
        : timer(
            () => {
              cancelTimer = undefined;
              mustWait = false;
              void now();
            },
            Math.min(end.forMs, MAX_TIMER_MS),
          );
  }

  async function now(dueBefore?: number): Promise<FlushEnd> {
    const end = await run(dueBefore).catch(() => AFTER_FAULT);
    arm(end);
    return end;
  }

  return {
    now,
    appended: (waiting) => {
      if (mustWait) return;
      if (waiting >= batchSize) void now();
      else if (cancelTimer === undefined) arm({ step: 'rest', forMs: maxWaitMs });
    },
  };
}
