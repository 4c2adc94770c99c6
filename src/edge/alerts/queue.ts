import { backoffMs } from '../../pacing/backoff.ts';
import type { Notice } from './alert.ts';

/** Whether the last message to a destination arrived. Status 0 means no answer. */
export type LastDelivery = { readonly at: number; readonly delivered: boolean; readonly status: number };

/** The messages that one destination has not taken yet, oldest first. */
export type Queue = {
  readonly notices: readonly Notice[];
  /** Failures in a row. */
  readonly failures: number;
  /** No attempt before this. */
  readonly nextAt: number;
  readonly last: LastDelivery | null;
};

/** What became of an attempt to send some messages, in their order. */
export type Attempt = {
  /** The ids of those that arrived. */
  readonly delivered: readonly string[];
  /** The answer to the last one that was sent; 0 if there was none. */
  readonly status: number;
  /** The wait that a failed one asks for. */
  readonly retryAfterMs: number | undefined;
  readonly failed: boolean;
};

export const EMPTY_QUEUE: Queue = { notices: [], failures: 0, nextAt: 0, last: null };

// A day later, an old message would mislead. The operator's page shows what is still wrong.
const EXPIRES_AFTER_MS = 24 * 3_600_000;

// All ten alerts begin and end five times. The oldest messages go first.
const MAX_QUEUED = 100;

// Slack takes about one message a second. The next run, a minute later, sends the rest.
const MAX_AT_ONCE = 10;

// Longer than one run takes to send ten messages, of which each may take ten seconds.
const LEASE_MS = 120_000;

// The first wait ends before the next run, a minute later.
const BACKOFF = { baseMs: 50_000, capMs: 30 * 60_000 };
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Adds messages, and gives up those that are too old or too many. The same object if nothing has changed. */
export function enqueue(queue: Queue, made: readonly Notice[], now: number): Queue {
  const all = [...queue.notices, ...made];
  const notices = all.filter(({ at }) => at > now - EXPIRES_AFTER_MS).slice(-MAX_QUEUED);
  const isSame = made.length === 0 && notices.length === queue.notices.length;
  return isSame ? queue : { ...queue, notices };
}

/**
 * The messages to send now, oldest first, and the queue meanwhile. No other run sends them until the lease
 * has ended, so two runs at once don't send a message twice. A run that dies leaves them in the queue.
 */
export function lease(queue: Queue, now: number): { readonly queue: Queue; readonly due: readonly Notice[] } {
  // A wait beyond the longest one comes from a clock that has since been set back.
  const waits = queue.nextAt > now && queue.nextAt <= now + MAX_RETRY_AFTER_MS;
  if (waits || queue.notices.length === 0) return { queue, due: [] };
  return { queue: { ...queue, nextAt: now + LEASE_MS }, due: queue.notices.slice(0, MAX_AT_ONCE) };
}

/** The queue after an attempt. Messages that did not arrive stay, in their order. */
export function settle(queue: Queue, attempt: Attempt, now: number): Queue {
  const { delivered, failed, status, retryAfterMs = 0 } = attempt;
  const notices = queue.notices.filter(({ id }) => !delivered.includes(id));
  const last = { at: now, delivered: !failed, status };
  if (!failed) return { notices, failures: 0, nextAt: 0, last };
  const failures = delivered.length > 0 ? 1 : queue.failures + 1;
  // There is one sender, so nothing is gained by a wait at random.
  const waitMs = Math.max(backoffMs(failures, BACKOFF, 1), Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
  return { notices, failures, nextAt: now + waitMs, last };
}
