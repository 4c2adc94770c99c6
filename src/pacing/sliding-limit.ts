/**
 * A limit on starts in any 60 seconds, no matter where those 60 seconds begin.
 *
 * A token bucket with a minute's worth of tokens allows twice that in one minute: the tokens it holds, then
 * those it gains. This is the generic cell rate algorithm: starts keep a spacing, and may run ahead of it by
 * a small burst. In any 60 s there are at most `60_000 / spacingMs + burst` of them.
 */
export type SlidingLimit = {
  /** The average time between two starts, in the long run. */
  readonly spacingMs: number;
  /** Starts allowed at once after a rest. At least 1. */
  readonly burst: number;
};

export type SlidingLimitState = {
  /** When the next start would be due if all had kept the spacing. (The literature's "theoretical arrival time".) */
  readonly nextDueAt: number;
};

export type Admission =
  | { readonly granted: true; readonly startInMs: number; readonly state: SlidingLimitState }
  | { readonly granted: false; readonly retryInMs: number };

const WINDOW_MS = 60_000;

// The share of the allowance for the long run, and the share for a burst on top. The rest is a margin: starts
// may arrive closer together than they left, and the clocks differ. 0.965 + 0.006 leaves 3 %: 1.8 s in a minute.
const STEADY_SHARE = 0.965;
const BURST_SHARE = 0.006;

/** The limit that keeps to an allowance in any 60 seconds, and uses at least 96 % of it while there is work. */
export function limitWithin(allowancePerMinute: number): SlidingLimit {
  const burst = Math.max(1, Math.floor(allowancePerMinute * BURST_SHARE));
  const steady = Math.min(allowancePerMinute * STEADY_SHARE, Math.max(0.5, allowancePerMinute - burst));
  return { spacingMs: WINDOW_MS / steady, burst };
}

/**
 * The share of an allowance that is used, from 0 to 1. It is 1 while calls start as fast as they are granted: 9 a
 * minute with an allowance of 10, because their spacing has to leave room for the burst.
 *
 * @param starts calls that started in the last 60 seconds
 */
export function usedShare(starts: number, allowancePerMinute: number): number {
  return Math.min(1, (starts * limitWithin(allowancePerMinute).spacingMs) / WINDOW_MS);
}

/**
 * Asks to start one call.
 *
 * @param aheadMs how far ahead a start may be promised. A promise is lost with its holder, so keep it short
 */
export function admit(
  state: SlidingLimitState,
  limit: SlidingLimit,
  now: number,
  aheadMs: number,
): Admission {
  // A due time beyond this can't come from the limit itself: the clock has been set back.
  const furthestAt = now + aheadMs + Math.max(WINDOW_MS, limit.burst * limit.spacingMs);
  const nextDueAt = Math.min(Math.max(state.nextDueAt, now), furthestAt);
  const startInMs = Math.max(0, nextDueAt - now - (limit.burst - 1) * limit.spacingMs);
  return startInMs <= aheadMs
    ? { granted: true, startInMs, state: { nextDueAt: nextDueAt + limit.spacingMs } }
    : { granted: false, retryInMs: Math.ceil(startInMs - aheadMs) };
}
