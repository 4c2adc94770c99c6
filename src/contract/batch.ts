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
  picklist,
  pipe,
  regex,
  safeInteger,
  string,
  unknown,
} from 'valibot';
import { fieldMessage } from './issue.ts';
import type { Lane } from './lane.ts';

/**
 * Calls that WebEngage takes from an account in a minute, unless it states another limit.
 * https://docs.webengage.com/docs/rest-api-getting-started
 */
export const ACCOUNT_REQUESTS_PER_MINUTE = 500;

/**
 * Records in one call to WebEngage, and in a tracker's flush.
 * https://docs.webengage.com/docs/rest-api-bulk-tracking-events
 */
export const MAX_BATCH_RECORDS = 25;

/**
 * Records the relay takes in one request: as many of the smallest as fit the 60,000 bytes of an unload flush.
 * Several requests at once could overtake each other. A single one keeps the order.
 */
export const MAX_REQUEST_RECORDS = 400;

/** The largest body the relay reads. */
export const MAX_BODY_BYTES = 128 * 1024;

/**
 * The version of the wire protocol. The relay answers another version with `unsupported_version`, and the
 * sender keeps its records.
 */
export const PROTOCOL_VERSION = 1;

/** Older records are refused as expired. The relay remembers ids for one day longer. */
export const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

const INSTANT_RULE = 'must be a UTC time such as 2026-11-23T15:45:00.123Z';
const RECORDS_RULE = `must hold 1 to ${MAX_REQUEST_RECORDS} records`;

const OFFSET_RULE = 'must be a whole number of milliseconds';

/** The lanes that a server may choose. */
export const SERVER_LANES = ['server', 'import'] as const satisfies readonly Lane[];

/**
 * The envelope of a batch. Unknown fields are ignored, since a later release may send more.
 * Records are checked one by one, so that a bad one does not affect the others.
 */
export const batchSchema = object(
  {
    v: literal(PROTOCOL_VERSION, `must be ${PROTOCOL_VERSION}`),
    /** When the batch was sent. Missing if the browser sends it after the page is gone. */
    sentAt: optional(
      pipe(
        string(INSTANT_RULE),
        regex(INSTANT, INSTANT_RULE),
        check((text) => !Number.isNaN(Date.parse(text)), INSTANT_RULE),
      ),
    ),
    device: pipe(string('must be a UUID'), regex(UUID, 'must be a UUID')),
    token: optional(string('must be a string')),
    /**
     * The sender's clock minus the relay's in milliseconds, as learned from earlier answers. Missing before them.
     */
    clockOffset: optional(pipe(number(OFFSET_RULE), safeInteger(OFFSET_RULE))),
    /** The sender wants records repaired where possible. Without it, a record that breaks any rule is refused. */
    lenient: optional(boolean('must be true or false')),
    /** The page's browser says that it is automated: `navigator.webdriver`. From a server the field counts as unknown. */
    bot: optional(boolean('must be true or false')),
    /** For a server. From a page the field counts as unknown. */
    lane: optional(picklist(SERVER_LANES, `must be ${SERVER_LANES.join(' or ')}`)),
    records: pipe(
      array(unknown(), RECORDS_RULE),
      minLength(1, RECORDS_RULE),
      maxLength(MAX_REQUEST_RECORDS, RECORDS_RULE),
    ),
  },
  fieldMessage('a batch'),
);

export type Batch = InferOutput<typeof batchSchema>;
