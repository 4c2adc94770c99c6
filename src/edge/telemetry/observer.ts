import { addObservations, isNothing, NOTHING_OBSERVED, type Observations } from './observations.ts';

// An isolate that refuses every batch has no call that takes its counts along. A flood must not be billed for each.
const REPORT_EVERY_MS = 60_000;

/**
 * What one isolate of the Worker has observed, until an object has it. The next batch that is stored takes it
 * along. An isolate that ends before loses it.
 */
export type Observer = {
  readonly observe: (seen: Observations) => void;
  /** Makes a call that takes everything along. If the call fails or is not `stored`, the next one takes it. */
  readonly carry: <Receipt extends { readonly stored: boolean }>(
    call: (observed: Observations | undefined) => Promise<Receipt>,
  ) => Promise<Receipt>;
  /** Reports refusals that no batch takes along: the first at once, then at most once a minute. */
  readonly report: (
    send: (observed: Observations) => Promise<void>,
    now: number,
  ) => Promise<void> | undefined;
};

export function observer(): Observer {
  let pending = NOTHING_OBSERVED;
  let reportedAt = Number.NEGATIVE_INFINITY;
  const take = (): Observations => {
    const taken = pending;
    pending = NOTHING_OBSERVED;
    return taken;
  };
  const observe = (seen: Observations) => {
    pending = addObservations(pending, seen);
  };
  return {
    observe,
    carry: async (call) => {
      const taken = take();
      let isStored = false;
      try {
        const receipt = await call(isNothing(taken) ? undefined : taken);
        isStored = receipt.stored;
        return receipt;
      } finally {
        if (!isStored) observe(taken);
      }
    },
    report: (send, now) => {
      if (Object.keys(pending.refused).length === 0 || now - reportedAt < REPORT_EVERY_MS) return undefined;
      reportedAt = now;
      const taken = take();
      return send(taken).catch(() => observe(taken));
    },
  };
}
