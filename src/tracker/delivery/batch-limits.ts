import { utf8Bytes } from '../../contract/rules/text.ts';
import type { Entry } from '../record/call.ts';

// Of a body, what is not its records: the token is the most of it, 4096 bytes at most.
const ENVELOPE_BYTES = 4_300;

// Of a record, what is added to its fields as it is sent: kind, id, anonymous id, time and age.
const RECORD_BYTES = 180;

// A character of a user id that JSON has to escape.
const ESCAPED_BYTES = 6;

/** The first of these, oldest first: as many as make a body of so many bytes at most. And how many bytes are left then. */
export function fitting<E extends Entry>(
  entries: readonly E[],
  bytes: number,
): readonly [fitting: readonly E[], left: number] {
  let left = bytes - ENVELOPE_BYTES;
  let count = 0;
  for (const { json, userId = '' } of entries) {
    const after = left - RECORD_BYTES - ESCAPED_BYTES * userId.length - utf8Bytes(json);
    if (after < 0) break;
    left = after;
    count++;
  }
  return [entries.slice(0, count), left];
}
