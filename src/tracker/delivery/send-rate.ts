import { backoffMs } from '../../pacing/backoff.ts';
import type { Outcome, Pause } from '../record/outcome.ts';
import { bare } from '../record/own-fields.ts';

/** What all tabs together may send, and when. Lies beside the records: a reload does not reset it. */
export type SendRate = {
  /** When the allowance for requests is full again. */
  readonly fullAt: number;
  /** Batches that failed in a row. */
  readonly failures: number;
  /** What the last failure asks for. */
  readonly pause?: Pause | undefined;
};

/** The name of the rate in the state shared by all tabs. */
export const SEND_RATE = 'rate';

const HOUR_MS = 3_600_000;

// Two tabs know the relay's time within as much.
const CLOCKS_DIFFER_MS = 1_000;

const BACKOFF = { baseMs: 1_000, capMs: 300_000 };

// A wrong origin or token is mended by a person, not by asking again soon.
export const NOT_ALLOWED_BACKOFF = { baseMs: 60_000, capMs: HOUR_MS };

/** The rate that is kept, or one to begin with. */
export function readSendRate(kept: unknown): SendRate {
  return bare({ fullAt: 0, failures: 0, ...(typeof kept === 'object' ? kept : undefined) });
}

/**
 * How long a pause lasts from now on. One for want of a token does not hold where the page has tokens: only those records
 * wait whose own is missing.
 */
export function pausedForMs(pause: Pause | undefined, now: number, hasTokens: boolean): number {
  if (!pause || (hasTokens && pause.reason === 'token_required')) return 0;
  // A pause that starts in the future was set by another clock, or before this one was set back: its end means nothing here.
  return pause.since > now + CLOCKS_DIFFER_MS ? 0 : Math.max(0, pause.until - now);
}

/** The rate after the relay has answered, or has not. */
export function rateAfter(
  { fullAt, failures, pause }: SendRate,
  { reason, afterMs = 0 }: Outcome,
  { now, random }: { readonly now: number; readonly random: number },
): SendRate {
  if (!reason) return bare({ fullAt, failures: 0 });
  const limits = reason === 'forbidden' || reason === 'token_required' ? NOT_ALLOWED_BACKOFF : BACKOFF;
  // Never earlier than asked, and not all browsers that were asked the same in the same moment. Whatever stands between may
  // ask for a year; the relay itself never asks for more than minutes.
  const forMs =
    afterMs > 0
      ? Math.min(afterMs, HOUR_MS) + backoffMs(1, limits, random)
      : backoffMs(failures + 1, limits, random);
  // What the relay has asked for outlasts a lesser failure that is known only later: of a request that left beside it.
  const isLonger = pausedForMs(pause, now, false) > forMs;
  return bare({
    fullAt,
    failures: failures + 1,
    pause: isLonger ? pause : { since: now, until: now + forMs, reason },
  });
}

/** The rate once the network is back: its failures are over, and a pause that the relay asked for is not. */
export function endNetworkPause(kept: unknown): unknown {
  const { fullAt, pause } = readSendRate(kept);
  return pause?.reason === 'network' ? { fullAt, failures: 0 } : kept;
}
