import { MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import { fullBucket, refill, type TokenBucket, type TokenBucketLimit } from '../../pacing/token-bucket.ts';
import { boundedMap } from './bounded-map.ts';

/** A token bucket for each key, in memory: what is forgotten with it only forgives. */
export type KeyedBuckets = {
  /** In how many milliseconds so many tokens are there; 0 where they are. Of more than the burst: when the burst is. */
  readonly msUntil: (key: string, tokens: number, now: number) => number;
  /** Takes so many, though they are not there: a key can be in debt, by a minute's worth or one request's. */
  readonly spend: (key: string, tokens: number, now: number) => void;
};

// Some 2 MB. Those that were seen longest ago are forgotten first: most likely theirs would be full again.
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
