import { count } from '../counters/tally.ts';
import type { Slice } from '../cut-batch.ts';
import { byLane, laneOf } from '../lanes.ts';
import type { StoredRecord } from '../run.ts';
import { segmentsOf, tableOf } from '../segments/segments.ts';
import { deleteRun } from '../segments/settled.ts';
import { waitingRun } from '../segments/waiting-runs.ts';

/** Positions of records in runs, by the number of the run. */
export type Positions = ReadonlyMap<number, ReadonlySet<number>>;

/** How many records were erased at once, and how many stay in a batch that may have been sent. */
export type Removed = { readonly erased: number; readonly inFlight: number };

type BatchRow = {
  readonly request_id: string;
  readonly members: string;
  readonly is_sent: number;
  readonly to_erase: string | null;
};

type EditedBatch = {
  readonly requestId: string;
  readonly isSent: boolean;
  readonly members: readonly Slice[];
  /** The places in the batch of the records to erase once its outcome is known. */
  readonly toErase: ReadonlySet<number>;
};

// A batch is sent if a call was made under its id. `sealed_with` counts the earlier calls with its records.
const ALL_BATCHES =
  'SELECT request_id, members, to_erase, launched = 1 OR attempts > sealed_with AS is_sent FROM batch';

/**
 * Removes records from their runs, and from the sealed batches that were not sent yet. Records that follow in a
 * run move up, and so do the slices of all batches: a batch in flight keeps its records.
 *
 * A batch that may have been sent has to be repeated unchanged. Its records are noted in it, and `dropErased`
 * removes them once their outcome is known. Call it inside a transaction.
 */
export function removeRecords(sql: SqlStorage, positions: Positions, now: number): Removed {
  if (positions.size === 0) return { erased: 0, inFlight: 0 };
  const rows = sql.exec<BatchRow>(ALL_BATCHES).toArray();
  const batches = rows.map(toBatch).filter(({ members }) => members.some(({ seq }) => positions.has(seq)));
  const noted = batches.map((batch) => (batch.isSent ? { ...batch, ...note(batch, positions) } : batch));
  const held = new Map<number, Set<number>>();
  for (const { isSent, members } of batches)
    for (const { seq, from, to } of isSent ? members : [])
      for (const at of positions.get(seq) ?? [])
        if (at >= from && at < to) held.set(seq, (held.get(seq) ?? new Set()).add(at));

  const free = new Map(
    [...positions].map(([seq, all]) => [seq, new Set([...all].filter((at) => !held.get(seq)?.has(at)))]),
  );
  const erased = removeFromRuns(sql, free, now);
  for (const batch of noted) writeBatch(sql, batch, free);
  return { erased, inFlight: [...held.values()].reduce((sum, { size }) => sum + size, 0) };
}

/**
 * Erases the records that are noted in a batch. Call it once the batch has an outcome, before its records are sealed
 * or queued again, and inside the same transaction.
 */
export function dropErased(sql: SqlStorage, requestId: string, now: number): void {
  const [row] = sql
    .exec<BatchRow>(`${ALL_BATCHES} WHERE request_id = ? AND to_erase IS NOT NULL`, requestId)
    .toArray();
  if (row === undefined) return;
  const { members, toErase } = toBatch(row);
  const positions = positionsOf(members, toErase);
  // Its outcome is known: it is not sent any more.
  sql.exec(
    'UPDATE batch SET to_erase = NULL, launched = 0, sealed_with = attempts WHERE request_id = ?',
    requestId,
  );
  removeRecords(sql, positions, now);
}

/**
 * Erases the records that were noted in a batch which WebEngage has accepted. Call it once they are settled, and inside
 * the same transaction.
 */
export function dropAccepted(
  sql: SqlStorage,
  members: readonly Slice[],
  toErase: readonly number[],
  now: number,
): void {
  const positions = positionsOf(members, new Set(toErase));
  const [waiting, settled] = [new Map<number, Set<number>>(), new Set<number>()];
  for (const [seq, all] of positions)
    if (waitingRun(sql, seq) === undefined) settled.add(seq);
    else waiting.set(seq, all);
  for (const seq of settled) deleteRun(sql, seq);
  removeRecords(sql, waiting, now);
}

/** The records at these places in a batch, by their run. */
function positionsOf(members: readonly Slice[], places: ReadonlySet<number>): Map<number, Set<number>> {
  const positions = new Map<number, Set<number>>();
  let place = 0;
  for (const { seq, from, to } of members)
    for (let at = from; at < to; at++, place++)
      if (places.has(place)) positions.set(seq, (positions.get(seq) ?? new Set()).add(at));
  return positions;
}

function toBatch({ request_id, members, is_sent, to_erase }: BatchRow): EditedBatch {
  return {
    requestId: request_id,
    isSent: is_sent === 1,
    members: JSON.parse(members),
    toErase: new Set<number>(JSON.parse(to_erase ?? '[]')),
  };
}

/** The batch's notes with these records added. */
function note({ members, toErase }: EditedBatch, positions: Positions): Pick<EditedBatch, 'toErase'> {
  const places = new Set(toErase);
  let place = 0;
  for (const { seq, from, to } of members)
    for (let at = from; at < to; at++, place++) if (positions.get(seq)?.has(at)) places.add(place);
  return { toErase: places };
}

/** Rewrites the runs, and deletes those with nothing left to send. Returns how many unsent records are gone. */
function removeFromRuns(sql: SqlStorage, positions: Positions, now: number): number {
  const segments = segmentsOf(sql);
  const left = new Map<number, number>();
  const rows = [...positions].flatMap(([seq, removed]) => {
    const [run] = sql
      .exec<{ count: number; taken: number }>(
        `SELECT count, taken FROM ${tableOf(segments, seq)} WHERE seq = ?`,
        seq,
      )
      .toArray();
    if (run === undefined || removed.size === 0) return [];
    const ofTaken = before(removed, run.taken);
    left.set(seq, removed.size - ofTaken);
    return [{ seq, removed, count: run.count - removed.size, taken: run.taken - ofTaken }];
  });
  if (rows.length === 0) return 0;
  const inLane = byLane((lane) =>
    [...left].reduce((sum, [seq, records]) => (laneOf(seq) === lane ? sum + records : sum), 0),
  );
  const erased = [...left.values()].reduce((sum, records) => sum + records, 0);
  // Counted first, even if it is nothing: what has entered is read from the runs, which get shorter here.
  count(sql, { erased }, now, { left: inLane });
  for (const { seq, removed, ...run } of rows) {
    const table = tableOf(segments, seq);
    if (run.taken === run.count) {
      deleteRun(sql, seq);
      continue;
    }
    const { records } = sql
      .exec<{ records: string }>(`SELECT records FROM ${table} WHERE seq = ?`, seq)
      .one();
    const kept = (JSON.parse(records) as StoredRecord[]).filter((_, at) => !removed.has(at));
    sql.exec(
      `UPDATE ${table} SET count = ?, taken = ?, records = ? WHERE seq = ?`,
      run.count,
      run.taken,
      JSON.stringify(kept),
      seq,
    );
  }
  return erased;
}

/** Moves a batch's slices to where their records are now. A batch with none left is deleted. */
function writeBatch(sql: SqlStorage, { requestId, members, toErase }: EditedBatch, removed: Positions): void {
  const moved = members
    .map(({ seq, device, from, to }) => {
      const gone = removed.get(seq) ?? new Set();
      return { seq, device, from: from - before(gone, from), to: to - before(gone, to) };
    })
    .filter(({ from, to }) => to > from);
  if (moved.length === 0) sql.exec('DELETE FROM batch WHERE request_id = ?', requestId);
  else
    sql.exec(
      'UPDATE batch SET members = ?, to_erase = ? WHERE request_id = ?',
      JSON.stringify(moved),
      toErase.size === 0 ? null : JSON.stringify([...toErase]),
      requestId,
    );
}

/** How many of these positions are before this one. */
function before(positions: ReadonlySet<number>, at: number): number {
  let some = 0;
  for (const position of positions) if (position < at) some += 1;
  return some;
}
