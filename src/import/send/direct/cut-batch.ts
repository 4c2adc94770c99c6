import { MAX_BATCH_RECORDS } from '../../../contract/batch.ts';
import type { ReadyRow } from '../ledger/ledger.ts';

/** The rows of the next call. `isFull`: no later row would fit. */
export type Cut = { readonly rows: readonly ReadyRow[]; readonly isFull: boolean };

/**
 * Cuts a batch of one kind, oldest rows first. Passes over each person with an older row that must go before: in a call
 * under way, or of the other kind.
 *
 * @param busy persons with rows in calls under way
 * @param maxBytes of a call. A single row may have more
 */
export function cutBatch(queue: readonly ReadyRow[], busy: ReadonlySet<string>, maxBytes: number): Cut {
  const rows: ReadyRow[] = [];
  const passedOver = new Set<string>();
  let bytes = 0;
  for (const row of queue) {
    if (rows.length === MAX_BATCH_RECORDS) return { rows, isFull: true };
    const [first = row] = rows;
    if (busy.has(row.person) || passedOver.has(row.person) || row.kind !== first.kind) {
      passedOver.add(row.person);
      continue;
    }
    if (rows.length > 0 && bytes + row.bytes > maxBytes) return { rows, isFull: true };
    rows.push(row);
    bytes += row.bytes;
  }
  return { rows, isFull: rows.length === MAX_BATCH_RECORDS };
}
