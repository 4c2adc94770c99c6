import { safeParse } from 'valibot';
import type { Rejection } from '../contract/answer.ts';
import { type Batch, batchSchema, MAX_AGE_MS } from '../contract/batch.ts';
import { formatDate, parseDate } from '../contract/date.ts';
import { toIssues } from '../contract/issue.ts';
import { checkRecord, type EventRecord, type TrackerRecord } from '../contract/record.ts';
import { issueAllowance } from './issue-allowance.ts';
import { faultInJson } from './json-text.ts';

export type ParsedBatch =
  | { readonly ok: true; readonly batch: Batch }
  | { readonly ok: false; readonly message: string };

/** Reads the envelope. Its records are still anything. */
export function parseBatch(text: string): ParsedBatch {
  const fault = faultInJson(text);
  if (fault !== undefined) return { ok: false, message: `the body ${fault}` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, message: 'the body must be JSON' };
  }
  const { success, output, issues } = safeParse(batchSchema, json);
  if (success) return { ok: true, batch: output };
  const message = toIssues(issues)
    .map((issue) => `${issue.path || 'the batch'} ${issue.message}`)
    .join('; ');
  return { ok: false, message };
}

export type CheckedBatch = {
  readonly good: readonly TrackerRecord[];
  readonly rejected: readonly Rejection[];
  /** How many of the rejected are so for their age alone. */
  readonly expired: number;
};

/** Holds each record of a batch against the contract by itself: a bad one costs no other. */
export function checkBatch({ sentAt, records }: Batch, now: number): CheckedBatch {
  // Where it is not known when a batch was sent, nor is by how much the visitor's clock is off.
  const skewMs = sentAt === undefined ? 0 : now - Date.parse(sentAt);
  const good: TrackerRecord[] = [];
  const rejected: Rejection[] = [];
  let expired = 0;
  const toTell = issueAllowance();

  for (const [index, input] of records.entries()) {
    const checked = checkRecord(input);
    if (!checked.ok) {
      rejected.push({ id: idOf(input) ?? `records[${index}]`, issues: toTell(checked.issues) });
    } else if ((checked.record.age ?? 0) * 1000 > MAX_AGE_MS) {
      const message = `has expired: records are taken for ${MAX_AGE_MS / 86_400_000} days`;
      rejected.push({ id: checked.record.id, issues: [{ path: 'age', message }] });
      expired += 1;
    } else {
      good.push(checked.record.kind === 'event' ? inOurTime(checked.record, skewMs, now) : checked.record);
    }
  }
  return { good, rejected, expired };
}

// An id that is none may be anything: enough of it for its sender to know it by.
const MAX_ECHOED_ID = 100;

function idOf(input: unknown): string | undefined {
  const id: unknown = typeof input === 'object' && input !== null && 'id' in input ? input.id : undefined;
  return typeof id === 'string' ? id.slice(0, MAX_ECHOED_ID) : undefined;
}

// Below it the difference may be the network's. A whole minute is a clock that is wrong.
const TOLERATED_SKEW_MS = 60_000;

/** The event at the time it happened by our clock, in the visitor's own offset. */
function inOurTime(event: EventRecord, skewMs: number, now: number): EventRecord {
  const madeAt = now - (event.age ?? 0) * 1000;
  // Without one WebEngage would take the time of the call to it: hours late, after an outage.
  const eventTime = event.eventTime ?? formatDate(madeAt, 0);
  const written = eventTime === undefined ? undefined : parseDate(eventTime);
  const isOff = event.eventTime !== undefined && Math.abs(skewMs) > TOLERATED_SKEW_MS;
  const corrected = isOff && written ? formatDate(written.at + skewMs, written.offsetMinutes) : undefined;
  return { ...event, eventTime: corrected ?? eventTime };
}
