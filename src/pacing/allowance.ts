/** How many requests may leave: `burst` at once, refilled at a steady rate. */
export type AllowanceLimit = {
  readonly burst: number;
  readonly requestsPerMinute: number;
};

/**
 * A token bucket, kept as one number: the moment at which it is full again. (The generic cell rate algorithm.)
 * Takes a token; `fullAt` is then that moment, if there was one: `inMs` is not above 0. Else there is one in so many.
 *
 * @param fullAt of a bucket that never was used, 0; one further off than an empty bucket's was told by a clock that was set
 * back since: such a bucket is full
 */
export function takeToken(
  fullAt: number,
  { burst, requestsPerMinute }: AllowanceLimit,
  now: number,
): { readonly fullAt: number; readonly inMs: number } {
  const spacingMs = 60_000 / requestsPerMinute;
  const emptyAt = now + burst * spacingMs;
  // It would not fill before the clock has caught up with it.
  // By a token more, for two tabs have the relay's time within a few milliseconds of each other.
  const isAhead = fullAt > emptyAt + spacingMs;
  const taken = (isAhead ? now : Math.max(now, fullAt)) + spacingMs;
  return { fullAt: taken, inMs: Math.round(taken - emptyAt) };
}
