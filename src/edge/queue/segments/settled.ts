import { readSettled } from '../counters.ts';
import type { Slice } from '../cut-batch.ts';
import { seqAfter } from '../lanes.ts';
import { joinSeqs, type SeqRange, type Seqs } from '../seq-ranges.ts';
import { type Segments, segmentsOf, tableOf } from './segments.ts';

/** Settled runs, by number. They stay in their segment until it is dropped, but count for nothing. */
export type Settled = Seqs;

// The set is stored in the row of the minute, which every call rewrites. Runs mostly settle in their order, so it has a few
// intervals. Beyond this many, a run that would add one is marked in its own row instead.
const MAX_INTERVALS = 500;

// From this size on, settled records are emptied, which makes room for new ones. A row for each run is billed then.
const EMPTIED_FROM_BYTES = 1_000_000_000;

/**
 * Settles these records, so that they are not sent any more. Returns all settled runs, for `count` to store. Call it
 * inside the transaction that counts them.
 */
export function settleSlices(sql: SqlStorage, slices: readonly Slice[]): Settled {
  const segments = segmentsOf(sql);
  let settled = readSettled(sql);
  for (const slice of slices) {
    const range = settleSlice(sql, segments, slice);
    if (range === undefined) continue;
    const joined = joinSeqs(settled, [range]);
    const fits = joined.length <= Math.max(MAX_INTERVALS, settled.length);
    if (fits) settled = joined;
    if (!fits || sql.databaseSize > EMPTIED_FROM_BYTES) emptyRun(sql, segments, slice.seq);
  }
  return settled;
}

/** Settles a part of a run. Returns the numbers of the run if it was the last part of a run in a segment. */
function settleSlice(sql: SqlStorage, segments: Segments, { seq, to }: Slice): SeqRange | undefined {
  const table = tableOf(segments, seq);
  const [run] = sql.exec<{ count: number }>(`SELECT count FROM ${table} WHERE seq = ?`, seq).toArray();
  if (run === undefined) return undefined;
  if (to < run.count) sql.exec(`UPDATE ${table} SET taken = ? WHERE seq = ?`, to, seq);
  else if (table === 'run_front') sql.exec('DELETE FROM run_front WHERE seq = ?', seq);
  else return [seq, seqAfter(seq, run.count) - 1];
  return undefined;
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
