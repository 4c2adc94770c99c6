import { MAX_BODY_BYTES, MAX_REQUEST_RECORDS, PROTOCOL_VERSION } from '../../contract/batch.ts';
import { formatDate } from '../../contract/rules/date.ts';
import { utf8Bytes } from '../../contract/rules/text.ts';

/** A batch in the form of the wire protocol. A `Date` in a record is written in WebEngage's format. */
export type WireBatch = {
  readonly v: 1;
  /** A UUID. Records of one device stay in order. */
  readonly device: string;
  readonly records: readonly object[];
  readonly lane?: 'server' | 'import';
  readonly lenient?: boolean;
  readonly sentAt?: string;
  readonly clockOffset?: number;
};

/** A batch as the text that `/v1/batch` would get, or the rule that it breaks. */
export type BatchText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

// In an envelope that gets its device later: see where records without one are stored.
const NO_DEVICE = '00000000-0000-8000-8000-000000000000';

/**
 * Writes a batch from another Worker as JSON, so that it passes the same checks as a request. A record that JSON
 * can't hold becomes one that those checks reject by itself.
 */
export function batchText(given: unknown): BatchText {
  const envelope = Array.isArray(given) ? { v: PROTOCOL_VERSION, device: NO_DEVICE, records: given } : given;
  if (typeof envelope !== 'object' || envelope === null)
    return { ok: false, message: 'the batch must be a list of records, or an envelope with records' };
  const { records, ...fields }: { readonly records?: unknown } = envelope;
  if (!Array.isArray(records) || records.length === 0 || records.length > MAX_REQUEST_RECORDS)
    return { ok: false, message: `records must hold 1 to ${MAX_REQUEST_RECORDS} records` };
  const head = toText(fields);
  if (!head.startsWith('{')) return { ok: false, message: 'the batch must be plain data' };
  // Unlike `map`, this does not skip a hole, which would be no JSON.
  const list = Array.from(records, toText);
  const start = head === '{}' ? '{' : `${head.slice(0, -1)},`;
  const text = `${start}"records":[${list.join()}]}`;
  return utf8Bytes(text) > MAX_BODY_BYTES
    ? { ok: false, message: `the batch must be at most ${MAX_BODY_BYTES} bytes as JSON` }
    : { ok: true, text };
}

/** As JSON. `null`, which no check accepts, for what JSON can't hold, such as a value within itself. */
function toText(value: unknown): string {
  try {
    return JSON.stringify(value, plainly) ?? 'null';
  } catch {
    return 'null';
  }
}

/** `null` for a value that JSON would leave out or write as another one. Not called as a method of its holder. */
function plainly(this: unknown, name: string, written: unknown): unknown {
  // `JSON.stringify` has already called a date's `toJSON`.
  const value: unknown = Object(this)[name];
  if (value instanceof Date) return formatDate(value.getTime(), 0) ?? null;
  if (typeof value === 'bigint' || typeof value === 'function') return null;
  return typeof value === 'object' && value !== null && !isPlain(value) ? null : written;
}

function isPlain(value: object): boolean {
  const parent = Object.getPrototypeOf(value);
  return Array.isArray(value) || parent === null || parent === Object.prototype;
}
