import {
  array,
  check,
  type InferOutput,
  literal,
  maxLength,
  minLength,
  optional,
  pipe,
  regex,
  strictObject,
  string,
  unknown,
} from 'valibot';
import { fieldMessage } from './issue.ts';

/** Records in one call to WebEngage, and in a tracker's flush. https://docs.webengage.com/docs/rest-api-bulk-tracking-events */
export const MAX_BATCH_RECORDS = 25;

/**
 * Records the relay takes in one request: all that a page which is left can send, 60,000 bytes of the smallest. Several
 * requests at once could overtake each other; one keeps its order.
 */
export const MAX_REQUEST_RECORDS = 400;

/** Largest body the relay reads. */
export const MAX_BODY_BYTES = 128 * 1024;

/** Records older than this are refused as expired: the relay remembers ids a day longer. */
export const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

const INSTANT_RULE = 'must be a UTC instant, as 2026-11-23T15:45:00.123Z';
const RECORDS_RULE = `must hold 1 to ${MAX_REQUEST_RECORDS} records`;

/**
 * What a tracker posts: the envelope alone.
 * Its records are checked one by one, so that a bad one costs no other.
 */
export const batchSchema = strictObject(
  {
    v: literal(1, 'must be 1'),
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
    records: pipe(
      array(unknown(), RECORDS_RULE),
      minLength(1, RECORDS_RULE),
      maxLength(MAX_REQUEST_RECORDS, RECORDS_RULE),
    ),
  },
  fieldMessage('a batch'),
);

export type Batch = InferOutput<typeof batchSchema>;
