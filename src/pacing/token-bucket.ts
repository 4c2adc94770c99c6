/** How many requests may leave: `burst` at once, refilled at a steady rate. */
export type TokenBucketLimit = {
  readonly burst: number;
  readonly requestsPerMinute: number;
};

export type TokenBucket = {
  /** May be a fraction. */
  readonly tokens: number;
  /** When `tokens` was computed. */
  readonly asOf: number;
};

export function fullBucket(limit: TokenBucketLimit, now: number): TokenBucket {
  return { tokens: limit.burst, asOf: now };
}

/**
 * The bucket at this moment.
 * If the clock was set back, no token is added or removed, and counting goes on from the new time.
 */
export function refill(bucket: TokenBucket, limit: TokenBucketLimit, now: number): TokenBucket {
  const elapsedMs = Math.max(0, now - bucket.asOf);
  const gained = (elapsedMs * limit.requestsPerMinute) / 60_000;
  return { tokens: Math.min(limit.burst, bucket.tokens + gained), asOf: now };
}
