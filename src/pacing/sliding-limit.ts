/**
 * At most so many starts in any 60 seconds, whenever they are begun to be counted.
 *
 * A token bucket that holds a minute's worth allows twice that in one minute: all it holds, then all it gains.
 * This is the generic cell rate algorithm: starts keep a spacing, and may run ahead of it by a small burst.
 * In any 60 s there are at most `60_000 / spacingMs + burst` of them.
 */
export type SlidingLimit = {
  /** Between two starts, in the long run. */
  readonly spacingMs: number;
  /** Starts that may come at once after a rest; at least 1. */
  readonly burst: number;
};

export type SlidingLimitState = {
  /** When the next start would be due, had all of them kept the spacing. (The literature's "theoretical arrival time".) */
  readonly nextDueAt: number;
};

export type Admission =
  | { readonly granted: true; readonly startInMs: number; readonly state: SlidingLimitState }
  | { readonly granted: false; readonly retryInMs: number };

const WINDOW_MS = 60_000;

// Of the allowance, what is used in the long run, and what may come on top at once. The rest is the margin: starts that
// kept the limit here may arrive closer together there, and the clocks differ. 0.96 + 0.01 leaves 3 %: 1.8 s in a minute.
const STEADY_SHARE = 0.96;
const BURST_SHARE = 0.01;

/** The limit that keeps to an allowance in any 60 seconds, and uses at least 95 % of it while there is work. */
export function limitWithin(allowancePerMinute: number): SlidingLimit {
  const burst = Math.max(1, Math.floor(allowancePerMinute * BURST_SHARE));
  const steady = Math.min(allowancePerMinute * STEADY_SHARE, Math.max(0.5, allowancePerMinute - burst));
  return { spacingMs: WINDOW_MS / steady, burst };
}

/**
 * Asks to start one call.
 *
 * @param aheadMs how far ahead a start may be promised; a promise dies with whoever holds it, so keep it short
 */
export function admit(
  state: SlidingLimitState,
  limit: SlidingLimit,
  now: number,
  aheadMs: number,
): Admission {
  // A due time further off than the limit itself can make it comes from a clock that has since been set back.
  const furthestAt = now + aheadMs + Math.max(WINDOW_MS, limit.burst * limit.spacingMs);
  const nextDueAt = Math.min(Math.max(state.nextDueAt, now), furthestAt);
  const startInMs = Math.max(0, nextDueAt - now - (limit.burst - 1) * limit.spacingMs);
  return startInMs <= aheadMs
    ? { granted: true, startInMs, state: { nextDueAt: nextDueAt + limit.spacingMs } }
    : { granted: false, retryInMs: Math.ceil(startInMs - aheadMs) };
}
