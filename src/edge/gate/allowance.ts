import { ACCOUNT_REQUESTS_PER_MINUTE } from '../../contract/batch.ts';
import { MINUTE_MS } from '../../pacing/minute.ts';

/** What WebEngage's `X-RateLimit-*` headers said in the answer to a call. */
export type SeenLimit = {
  readonly limit: number;
  readonly remaining: number;
  readonly at: number;
  /** How many of the calls that it counts are ours, according to that call's permit. */
  readonly ours: number;
};

// Calls in flight make the headers wrong by a few calls. Beyond that, another program is calling too.
const SEEN_NOISE = 5;

// Left to other programs, whose rate may change.
const RESERVE = 10;

/**
 * Calls a minute: the operator's limit, or less if WebEngage reports a lower limit, or calls by other
 * programs of the account. Never more than the operator's limit, and more than 500 only if WebEngage reports
 * a higher limit.
 */
export function allowance(requestsPerMinute: number, seen: SeenLimit | undefined, now: number): number {
  // Below two calls a minute none of our limits works. A header that says so is taken for a mistake.
  if (seen === undefined || seen.limit < 2) return Math.min(requestsPerMinute, ACCOUNT_REQUESTS_PER_MINUTE);
  // Calls that others made more than a minute ago no longer count.
  const others = Math.abs(now - seen.at) < MINUTE_MS ? seen.limit - seen.remaining - seen.ours : 0;
  const left = others > SEEN_NOISE ? Math.max(1, seen.limit - others - RESERVE) : seen.limit;
  return Math.min(requestsPerMinute, left);
}
