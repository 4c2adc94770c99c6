import { backoffMs } from '../../pacing/backoff.ts';
import { fullBucket, type TokenBucket, type TokenBucketLimit } from '../../pacing/token-bucket.ts';
import type { Outcome, RetryReason } from '../record/outcome.ts';

/** A pause after a failure: when it began, how long it lasts, why. */
export type Pause = { readonly since: number; readonly forMs: number; readonly reason: RetryReason };

/** What all tabs together may send, and when. Lies beside the records: a reload does not reset it. */
export type SendRate = {
  readonly bucket: TokenBucket;
  /** Batches that failed in a row. */
  readonly failures: number;
  /** What the last failure asks for. */
  readonly pause?: Pause | undefined;
};

/** The name of the rate in the state shared by all tabs. */
export const SEND_RATE = 'rate';

const BACKOFF = { baseMs: 1_000, capMs: 300_000 };

// A wrong origin or token is mended by a person, not by asking again soon.
export const NOT_ALLOWED_BACKOFF = { baseMs: 60_000, capMs: 60 * 60_000 };

// Whatever stands between may ask for a year. The relay itself never asks for more than minutes.
const MAX_RETRY_AFTER_MS = 60 * 60_000;

/**
 * How long a pause lasts from now on. One from the future began before the clock was set back, and does not count. Nor does
 * one for want of a token where the page has tokens: only those records wait whose own is missing.
 */
export function pausedForMs(pause: Pause | undefined, now: number, hasTokens: boolean): number {
  return pause && pause.since <= now && !(hasTokens && pause.reason === 'token_required')
    ? Math.max(0, pause.since + pause.forMs - now)
    : 0;
}

/** The rate that is kept, or one to begin with. Anything may lie there. */
export function readSendRate(kept: unknown, limit: TokenBucketLimit, now: number): SendRate {
  const rate = kept as SendRate | null | undefined;
  return rate?.bucket ? rate : { bucket: fullBucket(limit, now), failures: 0 };
}

/** The rate after the relay has answered, or has not. */
export function rateAfter(
  { bucket, failures, pause }: SendRate,
  { reason, afterMs = 0 }: Outcome,
  { now, random }: { readonly now: number; readonly random: number },
): SendRate {
  if (!reason) return { bucket, failures: 0 };
  const limits = reason === 'forbidden' || reason === 'token_required' ? NOT_ALLOWED_BACKOFF : BACKOFF;
  // Never earlier than asked, and not all browsers that were asked the same in the same moment.
  const forMs =
    afterMs > 0
      ? Math.min(afterMs, MAX_RETRY_AFTER_MS) + backoffMs(1, limits, random)
      : backoffMs(failures + 1, limits, random);
  // What the relay has asked for outlasts a lesser failure that is known only later: of a request that left beside it.
  const isLonger = pausedForMs(pause, now, false) > forMs;
  return { bucket, failures: failures + 1, pause: isLonger ? pause : { since: now, forMs, reason } };
}

/** The rate once the network is back: its failures are over, and a pause that the relay asked for is not. */
export function endNetworkPause(kept: unknown): unknown {
  const rate = kept as SendRate | undefined;
  return rate?.pause?.reason === 'network' ? { bucket: rate.bucket, failures: 0 } : rate;
}
