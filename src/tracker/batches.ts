import { MAX_BATCH_RECORDS } from '../contract/batch.ts';
import { utf8Bytes } from '../contract/text.ts';
import type { Entry } from './buffer.ts';

// Of a body, what is not records: its token is the most of it.
const ENVELOPE_BYTES = 4_000;

// What lies beside the record here is more than its age is there.
const entryBytes = (entry: Entry) => utf8Bytes(JSON.stringify(entry));

/** How many bytes the body of a batch has at the most. */
export function batchBytes(batch: readonly Entry[]): number {
  return batch.reduce((bytes, entry) => bytes + entryBytes(entry), ENVELOPE_BYTES);
}

/** Cuts records, oldest first, into batches: as many as fit a number of bytes in all. */
export function batchesWithin<Record extends Entry>(
  records: readonly Record[],
  maxBytes: number,
): readonly (readonly Record[])[] {
  const batches: Record[][] = [];
  let left = maxBytes;

  for (const [index, record] of records.entries()) {
    const isFirst = index % MAX_BATCH_RECORDS === 0;
    left -= entryBytes(record) + (isFirst ? ENVELOPE_BYTES : 0);
    if (left < 0) break;
    if (isFirst) batches.push([record]);
    else batches.at(-1)?.push(record);
  }
  return batches;
}
