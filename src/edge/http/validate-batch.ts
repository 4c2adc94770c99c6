import { omit, safeParse } from 'valibot';
import type { Rejection, Repaired } from '../../contract/answer.ts';
import { type Batch, batchSchema, MAX_AGE_MS, PROTOCOL_VERSION } from '../../contract/batch.ts';
import { type Issue, toIssues } from '../../contract/issue.ts';
import { type ReadRecord, readRecord } from '../../contract/read-record.ts';
import type { EventRecord, TrackerRecord } from '../../contract/record.ts';
import type { Repair } from '../../contract/repair/repair.ts';
import { faultsInBatch, isSurelyStrict, type TextFaults } from '../../contract/strict-json.ts';
import { trueEventTime, type VisitorTime } from './event-time.ts';
import { issueAllowance } from './issue-allowance.ts';

/** A batch with a valid envelope. Its records are unchecked, except for the faults already found in the text. */
export type ReadBatch = { readonly batch: Batch; readonly faults: TextFaults['ofRecords'] };

export type ParsedBatch =
  | ({ readonly ok: true } & ReadBatch)
  | {
      readonly ok: false;
      readonly code: 'invalid_batch' | 'unsupported_version';
      readonly message: string;
    };

// Only a server may choose a lane, and only a page may be a bot's. From the other one even a wrong value is
// ignored, as an unknown field is.
const pageBatchSchema = omit(batchSchema, ['lane']);
const serverBatchSchema = omit(batchSchema, ['bot']);

/** Parses and checks the envelope. */
export function parseBatch(text: string, sender: Arrival['sender']): ParsedBatch {
  const json = parseJson(text);
  const { ofBatch, ofRecords } = isSurelyStrict(text, json) ? NO_FAULTS : faultsInBatch(text);
  if (ofBatch !== undefined) return invalid([ofBatch]);
  if (json === undefined) return { ok: false, code: 'invalid_batch', message: 'the body must be JSON' };
  // Checked first: in another version, every other field may differ.
  if (isOfAnotherVersion(json))
    return {
      ok: false,
      code: 'unsupported_version',
      message: `v must be ${PROTOCOL_VERSION}, the only protocol version of this relay`,
    };
  const schema = sender === 'server' ? serverBatchSchema : pageBatchSchema;
  const { success, output, issues } = safeParse(schema, json);
  return success ? { ok: true, batch: output, faults: ofRecords } : invalid(toIssues(issues));
}

const NO_FAULTS: TextFaults = { ofBatch: undefined, ofRecords: new Map() };

/** The parsed text. Undefined if it is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(issues: readonly Issue[]): ParsedBatch {
  const message = issues.map((issue) => `${issue.path || 'the batch'} ${issue.message}`).join('; ');
  return { ok: false, code: 'invalid_batch', message };
}

function isOfAnotherVersion(json: unknown): boolean {
  return typeof json === 'object' && json !== null && Object.hasOwn(json, 'v') && 'v' in json
    ? json.v !== PROTOCOL_VERSION
    : false;
}

export type CheckedBatch = {
  readonly good: readonly TrackerRecord[];
  readonly rejected: readonly Rejection[];
  /** The changes to the valid records. */
  readonly repaired: readonly Repaired[];
  /** How many of the rejected records are only too old. */
  readonly expired: number;
};

/** The kind of sender, and the time of arrival by the relay's clock. */
export type Arrival = { readonly sender: 'page' | 'server'; readonly now: number };

/** The moment of sending as well, and the sender's clock, as in `VisitorTime`. */
type Sending = Arrival & Pick<VisitorTime, 'sentAt' | 'clockOffset'>;

/** Checks each record of a batch against the contract. A bad record does not affect the others. */
export function checkBatch({ batch, faults }: ReadBatch, arrival: Arrival): CheckedBatch {
  const { records, lenient = false, sentAt, clockOffset } = batch;
  const sending = { sentAt: sentAt === undefined ? undefined : Date.parse(sentAt), clockOffset, ...arrival };
  const good: TrackerRecord[] = [];
  const rejected: Rejection[] = [];
  const repaired: Repaired[] = [];
  let expired = 0;
  const issuesToReport = issueAllowance<Issue>();
  const repairsToReport = issueAllowance<Repair>();

  for (const [index, input] of records.entries()) {
    const read = readOrRefuse(input, faults.get(index), lenient);
    if (!read.ok) {
      rejected.push({ id: reportedId(input, index), issues: issuesToReport(read.issues) });
      continue;
    }
    const { record, repairs } = read;
    if ((record.age ?? 0) > MAX_AGE_MS) {
      rejected.push({ id: record.id, issues: [EXPIRED] });
      expired += 1;
      continue;
    }
    good.push(record.kind === 'event' ? inOurTime(record, sending) : record);
    repaired.push(...repairsToReport(repairs).map((repair) => ({ id: record.id, ...repair })));
  }
  return { good, rejected, repaired, expired };
}

const EXPIRED: Issue = {
  path: 'age',
  message: `has expired: the relay accepts records for ${MAX_AGE_MS / 86_400_000} days`,
};

function readOrRefuse(input: unknown, fault: Issue | undefined, lenient: boolean): ReadRecord {
  return fault === undefined ? readRecord(input, lenient) : { ok: false, issues: [fault] };
}

// An invalid id may be anything. This much of it is enough for its sender to recognize it.
const MAX_ECHOED_ID = 100;

function reportedId(input: unknown, index: number): string {
  const id: unknown = typeof input === 'object' && input !== null && 'id' in input ? input.id : undefined;
  return typeof id === 'string' ? id.slice(0, MAX_ECHOED_ID) : `records[${index}]`;
}

/** Rejects every record of a batch for the same reason, unchecked. */
export function rejectAll({ records }: Batch, issue: Issue): readonly Rejection[] {
  return records.map((input, index) => ({ id: reportedId(input, index), issues: [issue] }));
}

/** The event with its time by the relay's clock. */
function inOurTime(event: EventRecord, { sentAt, clockOffset, sender, now }: Sending): EventRecord {
  const { age, eventTime } = event;
  // A server's `eventTime` may be years old, and says nothing about when the record was made.
  const isOwnTime = sender === 'server' && eventTime !== undefined;
  const time = trueEventTime({
    eventTime,
    age: isOwnTime ? undefined : age,
    sentAt: isOwnTime ? undefined : sentAt,
    clockOffset: isOwnTime ? undefined : clockOffset,
    now,
  });
  return time === eventTime ? event : { ...event, eventTime: time };
}
