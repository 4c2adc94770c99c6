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

  for (let from = 0; from < records.length; from += MAX_BATCH_RECORDS) {
    const wanted = records.slice(from, from + MAX_BATCH_RECORDS);
    left -= ENVELOPE_BYTES;
    const over = wanted.findIndex((entry) => {
      left -= entryBytes(entry);
      return left < 0;
    });
    const batch = over < 0 ? wanted : wanted.slice(0, over);
    if (batch.length > 0) batches.push(batch);
    if (over >= 0) break;
  }
  return batches;
}
