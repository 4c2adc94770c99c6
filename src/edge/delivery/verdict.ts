import { MINUTE_MS } from '../../pacing/minute.ts';
import { retryAfterMs } from '../../pacing/retry-after.ts';

/** What WebEngage's answer means for the batch that was sent. */
export type Verdict =
  /** WebEngage has the records. */
  | { readonly kind: 'taken' }
  /** At least one record is invalid, or the license code is wrong. */
  | { readonly kind: 'refused' }
  /** The call has more bytes than WebEngage accepts. */
  | { readonly kind: 'too_large' }
  /** Over the rate limit: the whole account has to pause. */
  | { readonly kind: 'paused'; readonly forMs: number }
  /** Key, license code or address is wrong. No record is at fault, and no other call will do better. */
  | { readonly kind: 'misconfigured' }
  /** WebEngage may have the records or not. The same batch is sent again, under the same id. */
  | { readonly kind: 'unknown' };

/** The parts of an answer that decide its verdict. */
export type Answered = {
  /** 0: no answer, or none in time. */
  readonly status: number;
  readonly retryAfter: string | null;
  /** `response.status` in WebEngage's JSON, empty if it has none. Undefined if the body is no JSON object. */
  readonly says: string | undefined;
};

const REFUSED: ReadonlySet<number> = new Set([400, 422]);

// Apart from 429, the only 4xx that say the same call may succeed later.
const LATER: ReadonlySet<number> = new Set([408, 425]);

// Some of the call's records were accepted and some were not. WebEngage documents no such answer.
const MULTI_STATUS = 207;

// Without a pause, the allowance would be spent on refused calls. A pause of years is a mistake that nobody
// would find.
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60 * MINUTE_MS;

/** True for a 3xx or 4xx that refuses the call, whatever the reason. Not for 408, 413, 425 and 429. */
export function isRefusal(status: number): boolean {
  return status >= 300 && status < 500 && status !== 429 && status !== 413 && !LATER.has(status);
}

/**
 * Judges an answer. A 2xx counts as taken only if its body is a JSON object that does not say `error`. A
 * proxy or a maintenance page answers 200 to anything, and its word must not delete a record.
 */
export function verdictOf({ status, retryAfter, says }: Answered, now: number): Verdict {
  if (status >= 200 && status < 300) {
    const isTaken = status !== MULTI_STATUS && says !== undefined && says.toLowerCase() !== 'error';
    return { kind: isTaken ? 'taken' : 'unknown' };
  }
  if (status === 429) {
    // WebEngage documents no Retry-After. Its minute may be a fixed one, so wait for the next full minute.
    const requestedMs = retryAfterMs(retryAfter, now) ?? MINUTE_MS - (now % MINUTE_MS);
    return { kind: 'paused', forMs: Math.min(Math.max(requestedMs, MIN_PAUSE_MS), MAX_PAUSE_MS) };
  }
  if (status === 413) return { kind: 'too_large' };
  if (REFUSED.has(status)) return { kind: 'refused' };
  // A redirect too: it is never followed, so the key goes nowhere else.
  if (isRefusal(status)) return { kind: 'misconfigured' };
  return { kind: 'unknown' };
}
