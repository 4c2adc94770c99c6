import { ACCOUNT_REQUESTS_PER_MINUTE } from '../../contract/batch.ts';
import { MINUTE_MS } from '../../pacing/minute.ts';

/** What WebEngage's `X-RateLimit-*` headers said with the answer to a call. */
export type SeenLimit = {
  readonly limit: number;
  readonly remaining: number;
  readonly at: number;
  /** How many of the calls that it counts are ours: from the permit of that call. */
  readonly ours: number;
};

// What is under way when the headers are written makes them wrong by a few calls. Beyond that somebody else is calling too.
const SEEN_NOISE = 5;

// Left to those others, whose pace may change.
const RESERVE = 10;

/**
 * Calls a minute: what the operator allows, or less where WebEngage says that it takes fewer, or that others of the
 * account are calling too. Never more, and more than 500 only where WebEngage says that the account has more.
 */
export function allowance(requestsPerMinute: number, seen: SeenLimit | undefined, now: number): number {
  // Under two a minute no limit of ours can work; a header that says so is taken for a mistake.
  if (seen === undefined || seen.limit < 2) return Math.min(requestsPerMinute, ACCOUNT_REQUESTS_PER_MINUTE);
  // What others did more than a minute ago counts no more.
  const others = Math.abs(now - seen.at) < MINUTE_MS ? seen.limit - seen.remaining - seen.ours : 0;
  const left = others > SEEN_NOISE ? Math.max(1, seen.limit - others - RESERVE) : seen.limit;
  return Math.min(requestsPerMinute, left);
}
