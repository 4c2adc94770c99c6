import { utf8Bytes } from '../../contract/rules/text.ts';
import type { Entry } from '../record/call.ts';

// Bytes of a body outside its records. Most of them are the token, which has at most 4096 bytes.
const ENVELOPE_BYTES = 4_300;

// Bytes that sending adds to a record's fields: kind, id, anonymous id, time and age.
const RECORD_BYTES = 180;

// Bytes of one character of a user id, if JSON has to escape it.
const ESCAPED_BYTES = 6;

/** The first entries, oldest first, that fit a body of this many bytes, and the bytes that are left. */
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
