/** How many requests may leave: `burst` at once, refilled at a steady rate. */
export type AllowanceLimit = {
  readonly burst: number;
  readonly requestsPerMinute: number;
};

/**
 * A token bucket, kept as one number: the moment at which it is full again. (The generic cell rate algorithm.)
 * Takes a token; `fullAt` is then that moment, if there was one: `inMs` is not above 0. Else there is one in so many.
 *
 * @param fullAt of a bucket that never was used, 0; one further off than an empty bucket's is of a clock that was set back
 */
export function takeToken(
  fullAt: number,
  { burst, requestsPerMinute }: AllowanceLimit,
  now: number,
): { readonly fullAt: number; readonly inMs: number } {
  const spacingMs = 60_000 / requestsPerMinute;
  const taken = Math.max(now, Math.min(fullAt, now + burst * spacingMs)) + spacingMs;
  return { fullAt: taken, inMs: Math.ceil(taken - now - burst * spacingMs) };
}
