import { fullBucket, msUntilToken, refill, type TokenBucketLimit, take } from '../../pacing/token-bucket.ts';
import type { BufferedRecord } from '../store/record-store.ts';
import type { RetryReason } from './relay-client.ts';
import { mustWait, type Pace } from './send-rate.ts';

export type FlushLimits = TokenBucketLimit & {
  readonly batchSize: number;
  readonly maxWaitMs: number;
  readonly maxAgeMs: number;
  /** There are tokens: that the relay has asked somebody else for one is no reason to wait. */
  readonly identityToken?: unknown;
};

export type NextStep =
  | { readonly step: 'drop'; readonly records: readonly BufferedRecord[] }
  | { readonly step: 'send'; readonly pace: Pace }
  /** There is something to send, and it may not leave yet. */
  | {
      readonly step: 'wait';
      readonly forMs: number;
      readonly reason: RetryReason | 'tokens';
      /** When the oldest record that waits was made. */
      readonly oldestAt: number;
    }
  /** Nothing needs to be sent; `forMs` until something does, if anything waits at all. */
  | { readonly step: 'rest'; readonly forMs?: number | undefined };

/**
 * What to do about the oldest records of the buffer.
 *
 * @param dueBefore records made before this are due at once; others when they fill a batch or have waited `maxWaitMs`
 */
export function nextStep(
  oldest: readonly BufferedRecord[],
  pace: Pace,
  limits: FlushLimits,
  dueBefore: number,
  now: number,
): NextStep {
  const expired = oldest.filter(({ at }) => now - at > limits.maxAgeMs);
  if (expired.length > 0) return { step: 'drop', records: expired };

  const first = oldest[0];
  if (!first) return { step: 'rest' };
  const waitedMs = now - first.at;
  // A record from the future was made before the clock was set back: it is due, or it might wait for a year.
  const due =
    oldest.length >= limits.batchSize ||
    first.at <= dueBefore ||
    waitedMs >= limits.maxWaitMs ||
    waitedMs < 0;
  if (!due) return { step: 'rest', forMs: limits.maxWaitMs - waitedMs };

  const { pause } = pace;
  if (pause && mustWait(pause, limits.identityToken, now))
    return { step: 'wait', forMs: pause.since + pause.forMs - now, reason: pause.reason, oldestAt: first.at };

  // Nor is a bucket from the future of any use: it would not fill before the clock has caught up with it.
  const bucket = pace.bucket.asOf > now ? fullBucket(limits, now) : refill(pace.bucket, limits, now);
  const taken = take(bucket);
  return taken
    ? { step: 'send', pace: { ...pace, bucket: taken } }
    : { step: 'wait', forMs: msUntilToken(bucket, limits), reason: 'tokens', oldestAt: first.at };
}
