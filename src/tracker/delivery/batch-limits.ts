import { utf8Bytes } from '../../contract/text.ts';
import type { Entry } from '../store/record-store.ts';
import type { IdentityTokens } from './identity-tokens.ts';

// Of a body, what is not records: its token is the most of it, 4096 bytes at the most.
const ENVELOPE_BYTES = 4_300;

// What lies beside the record here is more than its age is there.
const entryBytes = (entry: Entry) => utf8Bytes(JSON.stringify(entry));

/** How many bytes the body of a batch has at the most. */
export function batchBytes(batch: readonly Entry[]): number {
  return batch.reduce((bytes, entry) => bytes + entryBytes(entry), ENVELOPE_BYTES);
}

/** The first of these, oldest first: as many as make a body of so many bytes at the most. */
export function batchWithin<Record extends Entry>(
  records: readonly Record[],
  maxBytes: number,
): readonly Record[] {
  let left = maxBytes - ENVELOPE_BYTES;
  const over = records.findIndex((entry) => {
    left -= entryBytes(entry);
    return left < 0;
  });
  return over < 0 ? records : records.slice(0, over);
}

/** The first of these, up to where another user's begin: a batch has one token. Those of nobody known need none. */
export function ofOneUser<Record extends Entry>(
  records: readonly Record[],
  userOf: IdentityTokens['userOf'],
): readonly Record[] {
  let user: string | undefined;
  const other = records.findIndex(({ record }) => {
    const userId = userOf(record);
    user ??= userId;
    return userId && userId !== user;
  });
  return other < 0 ? records : records.slice(0, other);
}
