import { backoffMs } from '../../pacing/backoff.ts';
import { fullBucket, type TokenBucket, type TokenBucketLimit } from '../../pacing/token-bucket.ts';
import type { Outcome, RetryReason } from './relay-client.ts';

/** A pause after a failure: when it began, how long it lasts, why. */
export type Pause = { readonly since: number; readonly forMs: number; readonly reason: RetryReason };

/** What all tabs together may send, and when. Lies beside the records: a reload does not reset it. */
export type Pace = {
  readonly bucket: TokenBucket;
  /** Batches that failed in a row. */
  readonly failures: number;
  /** What the last failure asks for. */
  readonly pause?: Pause;
};

/** The name of the pace in the state shared by all tabs. */
export const PACE = 'pace';

const BACKOFF = { baseMs: 1_000, capMs: 5 * 60_000 };

// A wrong origin or token is mended by a person, not by asking again soon.
export const NOT_ALLOWED_BACKOFF = { baseMs: 60_000, capMs: 60 * 60_000 };

/** A pause from the future began before the clock was set back: it would last for as long as that. */
export function isOver({ since, forMs }: Pick<Pause, 'since' | 'forMs'>, now: number): boolean {
  return !(since <= now && now < since + forMs);
}

/**
 * Whether a pause is to be kept. One for want of a token is not, where there are tokens: it is of a page, or a service
 * worker, that has none, and here only those wait whose own can't be had.
 */
export function mustWait(pause: Pause, identityToken: unknown, now: number): boolean {
  return !(identityToken && pause.reason === 'no_token') && !isOver(pause, now);
}

/** The pace that is kept, or one to begin with. */
export function paceOf(kept: unknown, limit: TokenBucketLimit, now: number): Pace {
  // Ours alone writes it, under a name of its own: what is there has this shape.
  return (kept as Pace | undefined) ?? { bucket: fullBucket(limit, now), failures: 0 };
}

/** The pace after the relay has answered, or has not. */
export function paceAfter(
  { bucket, failures, pause }: Pace,
  outcome: Outcome,
  now: number,
  random: number,
): Pace {
  if (outcome.kind !== 'retry') return { bucket, failures: 0 };
  const { reason, afterMs } = outcome;
  const limits = reason === 'not_allowed' || reason === 'no_token' ? NOT_ALLOWED_BACKOFF : BACKOFF;
  // Never earlier than asked, and not all browsers that were asked the same in the same moment.
  const forMs =
    afterMs === undefined ? backoffMs(failures + 1, limits, random) : afterMs + backoffMs(1, limits, random);
  // What the relay has asked for outlasts a lesser failure that is known only later: of a request that left beside it.
  const isLonger = pause && !isOver(pause, now) && pause.since + pause.forMs > now + forMs;
  return { bucket, failures: failures + 1, pause: isLonger ? pause : { since: now, forMs, reason } };
}

/** The pace once the network is back: its failures are over, and what the relay itself asked for is not. */
export function endNetworkPause(kept: unknown): unknown {
  const pace = kept as Pace | undefined;
  return pace?.pause?.reason === 'network' ? { bucket: pace.bucket, failures: 0 } : pace;
}
