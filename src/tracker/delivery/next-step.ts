import { fullBucket, msUntilToken, refill, type TokenBucketLimit, take } from '../../pacing/token-bucket.ts';
import type { StoredEntry } from '../record/call.ts';
import type { RetryReason } from '../record/outcome.ts';
import { isPaused, type SendRate } from './send-rate.ts';

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

export type NextStep =
  | { readonly step: 'drop'; readonly entries: readonly StoredEntry[] }
  /** `asksTime`: nothing but the time is asked for, by an empty batch. */
  | { readonly step: 'send'; readonly rate: SendRate; readonly asksTime: boolean }
  /** There is something to send, and it may not leave yet. */
  | {
      readonly step: 'wait';
      readonly forMs: number;
      readonly reason: RetryReason | 'tokens';
      /** The age of the oldest record that waits. */
      readonly oldestAgeMs: number;
    }
  /** Nothing needs to be sent; `forMs` until something does, if anything waits at all. */
  | { readonly step: 'rest'; readonly forMs?: number | undefined };

/** How a flush ended: with nothing due, or with records that have to wait. */
export type FlushEnd = Extract<NextStep, { step: 'rest' | 'wait' }>;

/** Chooses what to do about the oldest records of the buffer. */
export function nextStep(
  oldest: readonly StoredEntry[],
  rate: SendRate,
  limits: FlushLimits,
  { now, ageOf, isClockConfirmed, dueAgeMs, hasTokens }: Moment,
): NextStep {
  const [first] = oldest;
  if (!first) return { step: 'rest' };
  const expired = oldest.filter((entry) => ageOf(entry) > limits.maxAgeMs);
  // Nothing is given up because a clock has jumped: the relay's is asked first.
  const asksTime = expired.length > 0;
  if (asksTime && isClockConfirmed) return { step: 'drop', entries: expired };

  const oldestAgeMs = ageOf(first);
  // A record from the future was made before the clock was set back: it is due, or it might wait for a year.
  const isDue =
    oldest.length >= limits.batchSize ||
    oldestAgeMs >= Math.min(dueAgeMs, limits.maxWaitMs) ||
    oldestAgeMs < 0;
  if (!isDue) return { step: 'rest', forMs: limits.maxWaitMs - oldestAgeMs };

  const { pause } = rate;
  if (isPaused(pause, hasTokens, now))
    return { step: 'wait', forMs: pause.since + pause.forMs - now, reason: pause.reason, oldestAgeMs };

  // Nor is a bucket from the future of any use: it would not fill before the clock has caught up with it.
  const bucket = rate.bucket.asOf > now ? fullBucket(limits, now) : refill(rate.bucket, limits, now);
  const taken = take(bucket);
  return taken
    ? { step: 'send', rate: { ...rate, bucket: taken }, asksTime }
    : { step: 'wait', forMs: msUntilToken(bucket, limits), reason: 'tokens', oldestAgeMs };
}
