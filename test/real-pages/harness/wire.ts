/** A record as it stands in a request. */
export type WireRecord = {
  readonly kind: 'user' | 'event';
  readonly id: string;
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly age?: number;
  readonly eventName?: string;
  readonly eventTime?: string;
  readonly eventData?: Readonly<Record<string, unknown>>;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
};

/** The envelope of a request, with its records. */
export type WireBatch = {
  readonly v: 1;
  readonly sentAt?: string;
  readonly device: string;
  readonly token?: string;
  readonly clockOffset?: number;
  readonly lenient?: true;
  readonly records: readonly WireRecord[];
};

type Issue = { readonly path: string; readonly message: string };

export type Refused = { readonly code: 'invalid_batch' | 'unsupported_version'; readonly message: string };

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const RECORD_ID = /^[\w-]{22}\.[1-9]\d*$/;
const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$/;

const MAX_REQUEST_RECORDS = 400;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a body as the relay does: an envelope that is off its form costs the whole batch. */
export function readBatch(body: string): WireBatch | Refused {
  const invalid = (message: string): Refused => ({ code: 'invalid_batch', message });
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return invalid('the body must be JSON');
  }
  if (!isObject(json)) return invalid('the body must be an object');
  if (json.v !== 1) return { code: 'unsupported_version', message: 'v must be 1' };
  if (!UUID.test(String(json.device))) return invalid('device must be a UUID');
  if (json.sentAt !== undefined && !INSTANT.test(String(json.sentAt)))
    return invalid('sentAt must be an instant');
  if (json.clockOffset !== undefined && !Number.isInteger(json.clockOffset))
    return invalid('clockOffset must be a whole number');
  const { records } = json;
  if (!Array.isArray(records) || records.length < 1 || records.length > MAX_REQUEST_RECORDS)
    return invalid(`records must hold 1 to ${MAX_REQUEST_RECORDS} records`);
  // Each field was looked at, but for the records themselves: they are judged one by one.
  return json as unknown as WireBatch;
}

function holdsProto(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsProto);
  if (!isObject(value)) return false;
  return Object.entries(value).some(([name, held]) => name === '__proto__' || holdsProto(held));
}

/** What is wrong with the form of one record. WebEngage's own rules are the real relay's to judge. */
export function issuesOf(record: unknown): readonly Issue[] {
  if (!isObject(record)) return [{ path: '', message: 'must be an object' }];
  const issues: Issue[] = [];
  const must = (holds: boolean, path: string, message: string) => {
    if (!holds) issues.push({ path, message });
  };
  must(RECORD_ID.test(String(record.id)), 'id', 'must be <page load>.<number>');
  must(record.kind === 'user' || record.kind === 'event', 'kind', 'must be user or event');
  must(record.age === undefined || Number.isInteger(record.age), 'age', 'must be a whole number');
  const visitors = [record.userId, record.anonymousId].filter((id) => typeof id === 'string' && id !== '');
  must(visitors.length === 1, 'userId', 'is required, unless there is an anonymousId');
  if (record.kind === 'event') {
    must(typeof record.eventName === 'string' && record.eventName !== '', 'eventName', 'must be text');
    must(EVENT_TIME.test(String(record.eventTime)), 'eventTime', 'must be yyyy-MM-ddTHH:mm:ss±hhmm');
    must(
      record.eventData === undefined || isObject(record.eventData),
      'eventData',
      'must be an object of attributes',
    );
  }
  must(!holdsProto(record), '', 'must not have a field __proto__');
  return issues;
}
