import type { DropReason, FlushResult, RetryReason } from '../tracker/index.ts';
import type { InspectedRecord } from '../tracker/inspect.ts';
import type { Finding } from './judge.ts';

const RETRIES: { readonly [reason in RetryReason]: string } = {
  network: 'the page got no answer from the relay',
  unavailable: 'the relay is not available',
  rate_limited: 'the relay asks the page to wait',
  forbidden: 'the relay does not allow this site',
  unexpected_response: 'something other than the relay answered',
  token_required: 'the page has no identity token that the relay accepts',
  internal_error: 'the tracker itself failed',
};

const DROPS: { readonly [reason in DropReason]: string } = {
  expired: 'the records were too old to keep',
  over_max_records: 'the buffer was full, and these were the oldest',
  opted_out: 'the visitor has opted out',
};

/** The message for a name. A later tracker may have other names, and a page may have added names to every object. */
function messageFor(messages: { readonly [name: string]: string }, name: string): string | undefined {
  return Object.hasOwn(messages, name) ? messages[name] : undefined;
}

/** Why records wait: the reason's name, as in the documents, and its meaning. */
export function retryMessage(reason: string): string {
  return `${reason}: ${messageFor(RETRIES, reason) ?? 'see the documentation'}`;
}

/** Why records were given up, in the same form. */
export function dropMessage(reason: string): string {
  return `${reason}: ${messageFor(DROPS, reason) ?? 'see the documentation'}`;
}

/** A rule, and what happens to the field that breaks it. */
export function ruleMessage(rule: string, done: string): string {
  return `${rule}: ${done.replace('_', ' ')}`;
}

/** The result of a flush, in words. */
export function flushMessage(result: FlushResult): string {
  if (result.settled) return 'Every buffered record is settled.';
  if (result.reason === 'no_consent') return 'The visitor has not consented yet: the tracker sends nothing.';
  return `Kept, ${retryTime(result.retryInMs)}. ${retryMessage(result.reason)}.`;
}

/** The relay's decision about a record, in a few words. */
export function verdictMessage(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'accepts it';
  return findings.some(({ done }) => done === 'refused')
    ? 'refuses it'
    : `repairs ${countOf(findings.length, 'field')}`;
}

/** The name of a record: the event's, or `identify`. */
export function nameOfRecord({ kind, eventName }: Pick<InspectedRecord, 'kind' | 'eventName'>): string {
  return kind === 'event' ? (eventName ?? '(no name)') : 'identify';
}

/** When the tracker tries again. */
export function retryTime(inMs: number): string {
  // Never "in 0 s".
  return Number.isFinite(inMs) ? `again in ${formatSpan(Math.max(1_000, inMs))}` : 'until its user signs in';
}

/** A count and its noun. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A span of time in its largest unit. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

export function formatSize(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} KB`;
}
