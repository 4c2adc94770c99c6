import { utf8Bytes } from '../../contract/rules/text.ts';
import type { Entry } from '../record/call.ts';

// Of a body, what is not its records: the token is the most of it, 4096 bytes at most.
const ENVELOPE_BYTES = 4_300;

// Of a record, what is added to its fields as it is sent: kind, id, anonymous id, time and age.
const RECORD_BYTES = 180;

// A character of a user id that JSON has to escape.
const ESCAPED_BYTES = 6;

/** How many bytes a record takes in a body, at most. */
function entryBytes({ json, userId = '' }: Entry): number {
  return RECORD_BYTES + ESCAPED_BYTES * userId.length + utf8Bytes(json);
}

/** How many bytes the body of a batch has at most. */
export function batchBytes(batch: readonly Entry[]): number {
  let bytes = ENVELOPE_BYTES;
  for (const entry of batch) bytes += entryBytes(entry);
  return bytes;
}

/** The first of these, oldest first: as many as make a body of so many bytes at most. */
export function takeWithinBytes<E extends Entry>(entries: readonly E[], maxBytes: number): readonly E[] {
  let left = maxBytes - ENVELOPE_BYTES;
  const fitting: E[] = [];
  for (const entry of entries) {
    left -= entryBytes(entry);
    if (left < 0) break;
    fitting.push(entry);
  }
  return fitting;
}
