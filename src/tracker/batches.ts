import { MAX_BATCH_RECORDS } from '../contract/batch.ts';
import { utf8Bytes } from '../contract/text.ts';
import type { Entry } from './buffer.ts';

// Of a body, what is not records: its token is the most of it.
const ENVELOPE_BYTES = 4_000;

/** How many bytes the body of a batch has at the most. What goes with each record only here is more than its age is there. */
export function batchBytes(batch: readonly Entry[]): number {
  return ENVELOPE_BYTES + utf8Bytes(JSON.stringify(batch));
}

/** Cuts records, oldest first, into batches: as many as fit a number of bytes in all. */
export function batchesWithin<Record extends Entry>(
  records: readonly Record[],
  maxBytes: number,
): readonly (readonly Record[])[] {
  const batches: Record[][] = [];
  let left = maxBytes;

  for (let from = 0; from < records.length; from += MAX_BATCH_RECORDS) {
    const batch = records.slice(from, from + MAX_BATCH_RECORDS);
    const wanted = batch.length;
    while (batch.length > 0 && batchBytes(batch) > left) batch.pop();
    if (batch.length > 0) batches.push(batch);
    if (batch.length < wanted) break;
    left -= batchBytes(batch);
  }
  return batches;
}
