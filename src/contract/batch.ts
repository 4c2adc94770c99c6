import {
  array,
  boolean,
  check,
  type InferOutput,
  literal,
  maxLength,
  minLength,
  number,
  object,
  optional,
  pipe,
  regex,
  safeInteger,
  string,
  unknown,
} from 'valibot';
import { fieldMessage } from './issue.ts';

/** Calls that WebEngage takes of an account in a minute, unless it says otherwise. https://docs.webengage.com/docs/rest-api-getting-started */
export const ACCOUNT_REQUESTS_PER_MINUTE = 500;

/** Records in one call to WebEngage, and in a tracker's flush. https://docs.webengage.com/docs/rest-api-bulk-tracking-events */
export const MAX_BATCH_RECORDS = 25;

/**
 * Records the relay takes in one request: all that a page which is left can send, 60,000 bytes of the smallest. Several
 * requests at once could overtake each other; one keeps its order.
 */
export const MAX_REQUEST_RECORDS = 400;

/** Largest body the relay reads. */
export const MAX_BODY_BYTES = 128 * 1024;

/** The version of the wire protocol. A body of another one is answered `unsupported_version`, and its sender keeps it. */
export const PROTOCOL_VERSION = 1;

/** Records older than this are refused as expired: the relay remembers ids a day longer. */
export const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

const INSTANT_RULE = 'must be a UTC instant, as 2026-11-23T15:45:00.123Z';
const RECORDS_RULE = `must hold 1 to ${MAX_REQUEST_RECORDS} records`;

const OFFSET_RULE = 'must be a whole number of milliseconds';

/**
 * What a tracker posts: the envelope alone. Fields that it does not know are ignored: a later release may have more.
 * Its records are checked one by one, so that a bad one costs no other.
 */
export const batchSchema = object(
  {
    v: literal(PROTOCOL_VERSION, `must be ${PROTOCOL_VERSION}`),
    /** Left out by who can't know it: a page that leaves a batch with the browser, to be sent once the page is gone. */
    sentAt: optional(
      pipe(
        string(INSTANT_RULE),
        regex(INSTANT, INSTANT_RULE),
        check((text) => !Number.isNaN(Date.parse(text)), INSTANT_RULE),
      ),
    ),
    device: pipe(string('must be a UUID'), regex(UUID, 'must be a UUID')),
    token: optional(string('must be a string')),
    /** The sender's clock minus the relay's, in milliseconds, as the last answers taught it; left out where none came yet. */
    clockOffset: optional(pipe(number(OFFSET_RULE), safeInteger(OFFSET_RULE))),
    /** The sender wants records repaired that can be; else one that is wrong in anything is refused. */
    lenient: optional(boolean('must be true or false')),
    records: pipe(
      array(unknown(), RECORDS_RULE),
      minLength(1, RECORDS_RULE),
      maxLength(MAX_REQUEST_RECORDS, RECORDS_RULE),
    ),
  },
  fieldMessage('a batch'),
);

export type Batch = InferOutput<typeof batchSchema>;
