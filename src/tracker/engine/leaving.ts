import { fullBucket, refill, type TokenBucketLimit, take } from '../../pacing/token-bucket.ts';
import type { UnloadFlush } from '../unload/unload-flush.ts';

export type LeavingPorts = {
  readonly unload: Pick<UnloadFlush, 'leave' | 'keep'>;
  /** Whether the database has yet to answer. */
  readonly isCold: () => boolean;
  readonly settings: TokenBucketLimit;
  readonly time: { readonly mono: () => number };
};

export type Leaving = {
  readonly hidden: () => void;
  readonly visible: () => void;
  /** To be called with each call of the page. */
  readonly called: () => void;
};

/**
 * Has a page ready to be left after each task in which it calls, where that matters: while it is hidden, for its own
 * listeners come after ours and their calls are its last; and until the database has answered.
 *
 * A page stays hidden for as long as the visitor has another tab in front: its requests keep to an allowance.
 */
export function createLeaving({ unload, isCold, settings, time }: LeavingPorts): Leaving {
  let bucket = fullBucket(settings, time.mono());
  let isHidden = false;
  let isTaskOpen = false;

  function leave(): void {
    bucket = refill(bucket, settings, time.mono());
    const taken = take(bucket);
    if (taken) {
      bucket = taken;
      unload.leave();
    } else unload.keep();
  }

  return {
    hidden: () => {
      isHidden = true;
      leave();
    },
    visible: () => {
      isHidden = false;
    },
    called: () => {
      if (isTaskOpen) return;
      isTaskOpen = true;
      queueMicrotask(() => {
        isTaskOpen = false;
        if (isHidden) leave();
        else if (isCold()) unload.keep();
      });
    },
  };
}
