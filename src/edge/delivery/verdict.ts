import { MINUTE_MS } from '../../pacing/minute.ts';
import { retryAfterMs } from '../../pacing/retry-after.ts';

/** What an answer of WebEngage means for the batch that was sent. */
export type Verdict =
  /** It has the records. */
  | { readonly kind: 'taken' }
  /** One of the records at least is not to its liking; or the license code is not. */
  | { readonly kind: 'refused' }
  /** The call has more bytes than it takes. */
  | { readonly kind: 'too_large' }
  /** Over the rate limit: the whole account has to pause. */
  | { readonly kind: 'paused'; readonly forMs: number }
  /** Key, license or address are wrong: no record is at fault, and no other call will do better. */
  | { readonly kind: 'misconfigured' }
  /** Whether it has the records can't be told: the same batch is sent again, under the same id. */
  | { readonly kind: 'unknown' };

/** What a verdict is made of. */
export type Answered = {
  /** 0: there was no answer, in time or at all. */
  readonly status: number;
  readonly retryAfter: string | null;
  /** `response.status` of WebEngage's JSON, empty where it has none; undefined where the body is no JSON object. */
  readonly says: string | undefined;
};

const REFUSED: ReadonlySet<number> = new Set([400, 422]);

// Of all 4xx these two alone say that the same call may do better later.
const LATER: ReadonlySet<number> = new Set([408, 425]);

// Some records of it were taken, and some not: WebEngage documents no such answer.
const MULTI_STATUS = 207;

// A pause of nothing would spend the allowance on being refused; one of years is a mistake that nobody would find.
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60 * MINUTE_MS;

/** True for a status that says: not this, for whatever reason. */
export function isRefusal(status: number): boolean {
  return status >= 300 && status < 500 && status !== 429 && status !== 413 && !LATER.has(status);
}

/**
 * What an answer means. A 2xx counts as taken only with JSON, and not where that says `error`: a proxy or a maintenance page
 * answers 200 to anything, and its word must not delete a record.
 */
export function verdictOf({ status, retryAfter, says }: Answered, now: number): Verdict {
  if (status >= 200 && status < 300) {
    const isTaken = status !== MULTI_STATUS && says !== undefined && says.toLowerCase() !== 'error';
    return { kind: isTaken ? 'taken' : 'unknown' };
  }
  if (status === 429) {
    // WebEngage documents no Retry-After. Its minute may be a fixed one: the next begins at zero seconds.
    const askedMs = retryAfterMs(retryAfter, now) ?? MINUTE_MS - (now % MINUTE_MS);
    return { kind: 'paused', forMs: Math.min(Math.max(askedMs, MIN_PAUSE_MS), MAX_PAUSE_MS) };
  }
  if (status === 413) return { kind: 'too_large' };
  if (REFUSED.has(status)) return { kind: 'refused' };
  // A redirect too: it is never followed, the key goes nowhere else.
  if (isRefusal(status)) return { kind: 'misconfigured' };
  return { kind: 'unknown' };
}
