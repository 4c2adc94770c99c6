import { admit, limitWithin, type SlidingLimitState } from '../../../pacing/sliding-limit.ts';
import type { ServerPlatform } from '../../../server/platform.ts';
import { sleep } from '../halt.ts';

/** The rate of one import's calls to WebEngage. */
export type DirectGate = {
  /** Resolves to true when a call may start, in the order of the requests; to false if the run is halted. */
  readonly take: () => Promise<boolean>;
  /** Lets no call start for some time. */
  readonly pause: (forMs: number) => void;
};

export function createGate(
  time: ServerPlatform['time'],
  halted: AbortSignal,
  requestsPerMinute: number,
): DirectGate {
  const limit = limitWithin(requestsPerMinute);
  let state: SlidingLimitState = { nextDueAt: 0 };
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let last: Promise<boolean> = Promise.resolve(true);

  async function takeNext(): Promise<boolean> {
    while (!halted.aborted) {
      const now = time.mono();
      const admission = now < pausedUntil ? undefined : admit(state, limit, now, 0);
      if (admission?.granted) {
        state = admission.state;
        return true;
      }
      await sleep(time, admission?.retryInMs ?? pausedUntil - now, halted);
    }
    return false;
  }
  return {
    take: () => {
      last = last.then(takeNext);
      return last;
    },
    pause: (forMs) => {
      pausedUntil = Math.max(pausedUntil, time.mono() + forMs);
    },
  };
}
