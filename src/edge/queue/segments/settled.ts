import { readSettled } from '../counters/tally.ts';
import type { Slice } from '../cut-batch.ts';
import { seqAfter } from '../lanes.ts';
import { joinSeqs, type Seqs } from '../seq-ranges.ts';
import { type Segments, segmentsOf, tableOf } from './segments.ts';

/** Settled runs, by number. They stay in their segment until it is dropped, but count for nothing. */
export type Settled = Seqs;

// The set is stored in the row of the minute, which every call rewrites. Runs mostly settle in their order, so it has a few
// intervals. Beyond this many, a run that would add one is marked in its own row instead.
const MAX_INTERVALS = 500;

// From this size on, settled records are emptied, which makes room for new ones. A row for each run is billed then.
const EMPTIED_FROM_BYTES = 1_000_000_000;

/** Records of one run that are settled together, and when the outbox had stored them. */
type SettledSlice = { readonly seq: number; readonly at: number; readonly records: number };

/**
 * Settles these records, so that they are not sent any more. Returns all settled runs, for `count` to store, and what
 * each slice was. Call it inside the transaction that counts them.
 */
export function settleSlices(
  sql: SqlStorage,
  members: readonly Slice[],
): { readonly settled: Settled; readonly slices: readonly SettledSlice[] } {
  const segments = segmentsOf(sql);
  const isLarge = sql.databaseSize > EMPTIED_FROM_BYTES;
  let settled = readSettled(sql);
  const slices: SettledSlice[] = [];
  for (const { seq, from, to } of members) {
    const table = tableOf(segments, seq);
    const [run] = sql
      .exec<{ at: number; count: number }>(`SELECT at, count FROM ${table} WHERE seq = ?`, seq)
      .toArray();
    if (run === undefined) continue;
    slices.push({ seq, at: run.at, records: to - from });
    if (to < run.count) sql.exec(`UPDATE ${table} SET taken = ? WHERE seq = ?`, to, seq);
    else if (table === 'run_front') sql.exec('DELETE FROM run_front WHERE seq = ?', seq);
    else {
      const joined = joinSeqs(settled, [[seq, seqAfter(seq, run.count) - 1]]);
      const fits = joined.length <= Math.max(MAX_INTERVALS, settled.length);
      if (fits) settled = joined;
      if (!fits || isLarge) emptyRun(sql, segments, seq);
    }
  }
  return { settled, slices };
}

/** Removes a run with all its records, also those that wait. */
export function deleteRun(sql: SqlStorage, seq: number): void {
  const segments = segmentsOf(sql);
  if (tableOf(segments, seq) === 'run_front') sql.exec('DELETE FROM run_front WHERE seq = ?', seq);
  else emptyRun(sql, segments, seq);
}

/** Marks a run as settled in its own row, which stays with the ids, and removes the records from it. */
function emptyRun(sql: SqlStorage, segments: Segments, seq: number): void {
  sql.exec(`UPDATE ${tableOf(segments, seq)} SET taken = count, records = '[]' WHERE seq = ?`, seq);
}
