import { utf8Bytes } from '../../contract/text.ts';
import type { Entry } from '../record/call.ts';

// Of a body, what is not its records: the token is the most of it, 4096 bytes at most.
const ENVELOPE_BYTES = 4_300;

// Of a record, what is added to its fields as it is sent: kind, id, visitor, time and age. A user id may have 100
// characters of three bytes each.
const RECORD_BYTES = 400;

/** The first of these, oldest first: as many as make a body of so many bytes at most. And how many bytes are left then. */
export function fitting<E extends Entry>(
  entries: readonly E[],
  bytes: number,
): readonly [fitting: readonly E[], left: number] {
  let left = bytes - ENVELOPE_BYTES;
  let count = 0;
  for (const { json } of entries) {
    const after = left - RECORD_BYTES - utf8Bytes(json);
    if (after < 0) break;
    left = after;
    count++;
  }
  return [entries.slice(0, count), left];
}
