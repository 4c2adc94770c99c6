import { vi } from 'vitest';

type WaitOptions = { readonly signal?: AbortSignal | undefined };
type Waiting = { readonly until: number };

/** Time that stands still while anything happens. Then it moves to the next moment at which something is due. */
export type VirtualTime = {
  /** As the platform's `scheduler.wait`. */
  readonly wait: (ms: number, options?: WaitOptions) => Promise<void>;
  /** Runs a task. While it neither ends nor waits, time stands still. */
  readonly run: (task: () => Promise<unknown>) => Promise<void>;
  /** Something has happened that may be the reason for more. */
  readonly stir: () => void;
  /** Lets everything happen that waits for no later moment. */
  readonly settle: () => Promise<void>;
  /** The moments at which somebody stops waiting. */
  readonly wakings: () => readonly number[];
  /** The moments at which time limits end, also those that no longer matter. */
  readonly timeLimits: () => readonly number[];
  /** Moves on to a moment, never back. */
  readonly moveTo: (at: number) => void;
};

const realWait = scheduler.wait.bind(scheduler);

/** Starts virtual time, and makes the platform's functions that wait use it. */
export function virtualTime(start: number): VirtualTime {
  vi.setSystemTime(start);
  const sleeps = new Set<Waiting>();
  const limits = new Set<Waiting>();
  let activity = 0;
  let running = 0;
  const stir = () => {
    activity += 1;
  };

  /** Looks at the clock by itself: no promise crosses from object to object. */
  async function waitAmong(all: Set<Waiting>, ms: number, { signal }: WaitOptions): Promise<void> {
    stir();
    // The clock has no fractions.
    const until = Math.ceil(Date.now() + ms);
    const waiting = { until };
    all.add(waiting);
    while (Date.now() < until && !signal?.aborted) await realWait(0);
    all.delete(waiting);
    stir();
    signal?.throwIfAborted();
  }

  async function settle(): Promise<void> {
    let seen = -1;
    for (let turn = 0; seen !== activity || (running > 0 && sleeps.size === 0); turn++) {
      if (turn > 20_000) throw new Error('something neither sleeps nor ends');
      seen = activity;
      await realWait(0);
    }
  }

  // With a signal, it is a time limit: nobody sleeps.
  vi.stubGlobal('scheduler', {
    wait: (ms: number, options: WaitOptions = {}) => waitAmong(options.signal ? limits : sleeps, ms, options),
  });
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const controller = new AbortController();
    waitAmong(limits, ms, {}).then(() => controller.abort(new DOMException('', 'TimeoutError')));
    return controller.signal;
  });
  return {
    wait: (ms, options = {}) => waitAmong(sleeps, ms, options),
    run: async (task) => {
      running += 1;
      try {
        await task();
      } finally {
        running -= 1;
        stir();
      }
    },
    stir,
    settle,
    wakings: () => momentsOf(sleeps),
    timeLimits: () => momentsOf(limits),
    moveTo: (at) => void vi.setSystemTime(Math.max(Date.now(), at)),
  };
}

const momentsOf = (all: ReadonlySet<Waiting>) => Array.from(all, ({ until }) => until);
