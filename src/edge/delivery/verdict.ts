import { MINUTE_MS } from '../../pacing/minute.ts';
import { retryAfterMs } from '../../pacing/retry-after.ts';

/** What an answer of WebEngage means for the batch that was sent. */
export type Verdict =
  /** It has the records. */
  | { readonly kind: 'taken' }
  /** One of the records at least is not to its liking; or the license code is not. */
  | { readonly kind: 'refused' }
  /** Over the rate limit: the whole account has to pause. */
  | { readonly kind: 'paused'; readonly forMs: number }
  /** Key, license or address are wrong: no record is at fault, and no other call will do better. */
  | { readonly kind: 'misconfigured' }
  /** Nobody knows whether it has the records: the same batch is sent again, under the same id. */
  | { readonly kind: 'unknown' };

const REFUSED: ReadonlySet<number> = new Set([400, 413, 422]);

// Of all 4xx these two alone say that the same call may do better later.
const LATER: ReadonlySet<number> = new Set([408, 425]);

// A pause of nothing would spend the allowance on being refused; one of years is a mistake that nobody would find.
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60 * MINUTE_MS;

/** True for a status that says: not this, for whatever reason. */
export function isRefusal(status: number): boolean {
  return status >= 300 && status < 500 && status !== 429 && !LATER.has(status);
}

/**
 * What a status means. Any 2xx is success, whatever the body says; a body is never more than words for the operator.
 *
 * @param status 0: there was no answer, in time or at all
 */
export function verdictOf(status: number, retryAfter: string | null, now: number): Verdict {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  if (status === 429) {
    // WebEngage documents no Retry-After. Its minute may be a fixed one: the next begins at zero seconds.
    const askedMs = retryAfterMs(retryAfter, now) ?? MINUTE_MS - (now % MINUTE_MS);
    return { kind: 'paused', forMs: Math.min(Math.max(askedMs, MIN_PAUSE_MS), MAX_PAUSE_MS) };
  }
  if (REFUSED.has(status)) return { kind: 'refused' };
  // A redirect too: it is never followed, the key goes nowhere else.
  if (isRefusal(status)) return { kind: 'misconfigured' };
  return { kind: 'unknown' };
}
