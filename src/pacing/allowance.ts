/** How many requests may leave: `burst` at once, refilled at a steady rate. */
export type AllowanceLimit = {
  readonly burst: number;
  readonly requestsPerMinute: number;
};

/**
 * A token bucket, kept as one number: the moment at which it is full again. (The generic cell rate algorithm.)
 * Takes a token. Where there is one, `inMs` is not above 0, and `fullAt` is to be kept; else there is one in so many.
 *
 * @param fullAt 0 for a bucket that was never used
 */
export function takeToken(
  fullAt: number,
  { burst, requestsPerMinute }: AllowanceLimit,
  now: number,
): { readonly fullAt: number; readonly inMs: number } {
  const spacingMs = 60_000 / requestsPerMinute;
  const emptyAt = now + burst * spacingMs;
  // None is further from full than an empty one: its clock was set back since, and it is taken for full.
  const taken = (fullAt > now && fullAt <= emptyAt ? fullAt : now) + spacingMs;
  return { fullAt: taken, inMs: Math.ceil(taken - emptyAt) };
}
