import { fullBucket, msUntilToken, refill, type TokenBucketLimit, take } from '../../pacing/token-bucket.ts';
import type { StoredEntry } from '../record/call.ts';
import type { RetryReason } from '../record/outcome.ts';
import { pausedForMs, type SendRate } from './send-rate.ts';

export type FlushLimits = TokenBucketLimit & {
  readonly batchSize: number;
  readonly maxWaitMs: number;
  readonly maxAgeMs: number;
};

/** The moment in which the next step is chosen. */
export type Moment = {
  /** By the clock that the rate is kept by. */
  readonly now: number;
  /** How long ago a record was made. */
  readonly ageOf: (entry: StoredEntry) => number;
  /** Whether the ages of records from earlier pages can be trusted. */
  readonly isClockConfirmed: boolean;
  /** Records of this age or more are due at once; others when they fill a batch or have waited `maxWaitMs`. */
  readonly dueAgeMs: number;
  readonly hasTokens: boolean;
};

/** How a flush ended. With a reason: records have to wait. Without: nothing needs to be sent. */
export type FlushEnd = {
  readonly reason?: RetryReason | 'tokens';
  /** How long until something may or needs to be sent, if anything waits at all. */
  readonly forMs?: number;
  /** The age of the oldest record that has to wait. */
  readonly oldestAgeMs?: number;
};

/** One of: records to give up, a request to send, the end. */
export type NextStep =
  | { readonly expired: readonly StoredEntry[] }
  /** `asksTime`: nothing but the time is asked for, by an empty batch. */
  | { readonly rate: SendRate; readonly asksTime: boolean }
  | { readonly end: FlushEnd };

/** Chooses what to do about the oldest records of the buffer. */
export function nextStep(
  oldest: readonly StoredEntry[],
  rate: SendRate,
  moment: Moment & FlushLimits,
): NextStep {
  const { now, ageOf, isClockConfirmed, dueAgeMs, hasTokens, batchSize, maxWaitMs, maxAgeMs } = moment;
  const [first] = oldest;
  if (!first) return { end: {} };
  const expired = oldest.filter((entry) => ageOf(entry) > maxAgeMs);
  // Nothing is given up because a clock has jumped: the relay's is asked first.
  const asksTime = expired.length > 0;
  if (asksTime && isClockConfirmed) return { expired };

  const oldestAgeMs = ageOf(first);
  // A record from the future was made before the clock was set back: it is due, or it might wait for a year.
  if (oldest.length < batchSize && oldestAgeMs >= 0 && oldestAgeMs < Math.min(dueAgeMs, maxWaitMs))
    return { end: { forMs: maxWaitMs - oldestAgeMs } };

  const { pause } = rate;
  const pausedMs = pausedForMs(pause, now, hasTokens);
  if (pause && pausedMs) return { end: { reason: pause.reason, forMs: pausedMs, oldestAgeMs } };

  // Nor is a bucket from the future of any use: it would not fill before the clock has caught up with it.
  const bucket = rate.bucket.asOf > now ? fullBucket(moment, now) : refill(rate.bucket, moment, now);
  const taken = take(bucket);
  return taken
    ? { rate: { ...rate, bucket: taken }, asksTime }
    : { end: { reason: 'tokens', forMs: msUntilToken(bucket, moment), oldestAgeMs } };
}
