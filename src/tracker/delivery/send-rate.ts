import { backoffMs } from '../../pacing/backoff.ts';
import type { Page } from '../page/page.ts';
import type { Outcome, Pause } from '../record/outcome.ts';
import { bare } from '../record/own-fields.ts';

/** What all tabs together may send, and when. Stored beside the records, so a reload does not reset it. */
export type SendRate = {
  /** When the allowance for requests is full again, by the relay's clock. */
  readonly fullAt: number;
  /** Batches that failed in a row. */
  readonly failures: number;
  /** The pause that the last failure asks for. */
  readonly pause?: Pause | undefined;
};

/** The name of the rate in the state shared by all tabs. */
export const SEND_RATE = 'rate';

const HOUR_MS = 3_600_000;

// Two tabs may disagree about the relay's time by this much.
const CLOCKS_DIFFER_MS = 1_000;

const BACKOFF = { baseMs: 1_000, capMs: 300_000 };

// A person has to correct a wrong origin or token. Asking again soon does not help.
export const NOT_ALLOWED_BACKOFF = { baseMs: 60_000, capMs: HOUR_MS };

/** The stored rate, or the initial one. */
export function readSendRate(kept: unknown): SendRate {
  return bare({ fullAt: 0, failures: 0, ...(kept as Partial<SendRate>) });
}

/**
 * The pause that this page keeps. If it has tokens, it ignores a pause for lack of one: only the records without
 * a token wait then.
 */
export function ownPause(page: Pick<Page, 'tokens'>, pause: Pause | undefined): Pause | undefined {
  return page.tokens && pause?.reason === 'token_required' ? undefined : pause;
}

/** How much longer a pause lasts, in milliseconds. */
export function pausedForMs(pause: Pause | undefined, now: number): number {
  if (!pause) return 0;
  // A pause that starts in the future was set by another clock, or before this one was set back. Its end
  // means nothing here.
  return pause.since > now + CLOCKS_DIFFER_MS ? 0 : Math.max(0, pause.until - now);
}

/** The rate after the relay has answered, or has failed to. */
export function rateAfter(
  { fullAt, failures, pause }: SendRate,
  { reason, afterMs = 0 }: Outcome,
  { now, random }: { readonly now: number; readonly random: number },
): SendRate {
  if (!reason) return bare({ fullAt, failures: 0 });
  const limits = reason === 'forbidden' || reason === 'token_required' ? NOT_ALLOWED_BACKOFF : BACKOFF;
  // Never earlier than asked, and with jitter, so that browsers do not all return at once. A proxy on the way
  // may ask for a year; the relay itself never asks for more than minutes.
  const forMs =
    afterMs > 0
      ? Math.min(afterMs, HOUR_MS) + backoffMs(1, limits, random)
      : backoffMs(failures + 1, limits, random);
  // The relay's pause outlasts a lesser failure that is known only later, of a request sent beside it.
  const isLonger = pausedForMs(pause, now) > forMs;
  return bare({
    fullAt,
    failures: failures + 1,
    pause: isLonger ? pause : { since: now, until: now + forMs, reason },
  });
}

/** The rate once the network is back: its own pause is over, and one that the relay asked for stays. */
export function endNetworkPause(kept: unknown): unknown {
  const { fullAt, pause } = readSendRate(kept);
  return pause?.reason === 'network' ? { fullAt, failures: 0 } : kept;
}
