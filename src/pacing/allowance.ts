/** How many requests may leave: `burst` at once, refilled at a steady rate. */
export type AllowanceLimit = {
  readonly burst: number;
  readonly requestsPerMinute: number;
};

/**
 * A token bucket, stored as one number: the moment when it is full again. (The generic cell rate algorithm.)
 * Takes a token. If `inMs` is 0 or less, there was one, and `fullAt` is the new moment. Otherwise a token is
 * available in `inMs` milliseconds.
 *
 * @param fullAt 0 for a bucket that was never used. A moment beyond that of an empty bucket comes from a
 * clock that has since been set back: the bucket counts as full
 */
export function takeToken(
  fullAt: number,
  { burst, requestsPerMinute }: AllowanceLimit,
  now: number,
): { readonly fullAt: number; readonly inMs: number } {
  const spacingMs = 60_000 / requestsPerMinute;
  const emptyAt = now + burst * spacingMs;
  // Otherwise it would not fill before the clock catches up.
  // The tolerance is one token: two tabs know the relay's time within a few milliseconds of each other.
  const isAhead = fullAt > emptyAt + spacingMs;
  const taken = (isAhead ? now : Math.max(now, fullAt)) + spacingMs;
  return { fullAt: taken, inMs: Math.round(taken - emptyAt) };
}
