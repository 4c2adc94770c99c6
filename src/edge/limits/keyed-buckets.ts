import { MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import { fullBucket, refill, type TokenBucket, type TokenBucketLimit } from '../../pacing/token-bucket.ts';
import { boundedMap } from './bounded-map.ts';

/**
 * A token bucket for each key, in memory. A forgotten bucket counts as full, which only lets more through.
 */
export type KeyedBuckets = {
  /**
   * Milliseconds until this many tokens are there; 0 if they already are. For more than the burst, until the
   * bucket is full.
   */
  readonly msUntil: (key: string, tokens: number, now: number) => number;
  /**
   * Takes this many tokens, even if they are not there. A key's debt is at most a minute's tokens or one
   * request's, whichever is more.
   */
  readonly spend: (key: string, tokens: number, now: number) => void;
};

// Some 2 MB. The key that spent longest ago is forgotten first: its bucket is most likely full again.
const MAX_KEYS = 10_000;

export function keyedBuckets(limit: TokenBucketLimit, maxKeys: number = MAX_KEYS): KeyedBuckets {
  const buckets = boundedMap<TokenBucket>(maxKeys);
  const maxDebt = Math.max(limit.requestsPerMinute, MAX_REQUEST_RECORDS);
  const bucketOf = (key: string, now: number): TokenBucket => {
    const bucket = buckets.get(key);
    return bucket === undefined ? fullBucket(limit, now) : refill(bucket, limit, now);
  };
  return {
    msUntil: (key, tokens, now) => {
      const missing = Math.min(tokens, limit.burst) - bucketOf(key, now).tokens;
      return missing <= 0 ? 0 : Math.ceil((missing * 60_000) / limit.requestsPerMinute);
    },
    spend: (key, tokens, now) => {
      const bucket = bucketOf(key, now);
      buckets.set(key, { ...bucket, tokens: Math.max(-maxDebt, bucket.tokens - tokens) });
    },
  };
}
