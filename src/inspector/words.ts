import type { RetryReason } from '../tracker/delivery/relay-client.ts';
import type { DropReason } from '../tracker/engine/events.ts';
import type { FlushResult } from '../tracker/tracker.ts';

const RETRIES: { readonly [reason in RetryReason]: string } = {
  network: 'no answer from the relay that a page may read',
  unavailable: 'the relay is not available',
  rate_limited: 'the relay asks for patience',
  not_allowed: 'the relay does not allow this site',
  not_the_relay: 'something else than the relay answered',
  no_token: 'no identity token that the relay takes',
  fault: 'an error of the tracker’s own',
};

const DROPS: { readonly [reason in DropReason]: string } = {
  expired: 'older than the tracker keeps them',
  over_max_records: 'the buffer was full, and these were the oldest',
  opted_out: 'the visitor has opted out',
};

/** Why records wait: the reason by its name, as the documents have it, and what it means. */
export function retryInWords(reason: RetryReason): string {
  return `${reason}: ${RETRIES[reason] ?? 'see the documents'}`;
}

/** Why records were given up, likewise. */
export function dropInWords(reason: DropReason): string {
  return `${reason}: ${DROPS[reason] ?? 'see the documents'}`;
}

/** What became of a flush. */
export function flushInWords(result: FlushResult): string {
  if (result.settled) return 'Settled: nothing is left of what was buffered.';
  if (result.reason === 'no_consent')
    return 'The visitor has yet to consent: until then nothing is looked at.';
  return `Kept, ${againInWords(result.retryInMs)}. ${retryInWords(result.reason)}.`;
}

/** When it is tried again. */
export function againInWords(inMs: number): string {
  // Not in 0 s, which is never.
  return Number.isFinite(inMs) ? `again in ${spanInWords(Math.max(1_000, inMs))}` : 'until its user signs in';
}

/** A count and its noun. */
export function some(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A span of time in its largest unit. */
export function spanInWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

export function sizeInWords(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} KB`;
}

/** The time of day by the visitor's clock, as `09:05:00`. */
export function clock(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
