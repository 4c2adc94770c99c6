import { count, type Totals } from './counters.ts';
import type { Slice } from './cut-batch.ts';
import { dropErased } from './erasure/remove-records.ts';
import { countByLane } from './lanes.ts';
import { countRecords, launchedBatches, type SealedBatch, storedBatch } from './sealed-batches.ts';

/** How long some records of a batch had waited since they were stored, and their number. */
export type Wait = { readonly ms: number; readonly records: number };

/** Deletes a batch that WebEngage has accepted, and its records. Returns how long they had waited. */
export function settle(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  happened: Partial<Totals>,
  now: number,
): readonly Wait[] {
  return storage.transactionSync(() => {
    const members = unseal(storage.sql, batch);
    if (members === undefined) return [];
    const waits = waitsOf(storage.sql, members, now);
    // Counted first: the total `entered` is read from the runs, which are deleted here.
    const counted = { ...happened, taken: 1, delivered: countRecords(members) };
    count(storage.sql, counted, now, { taken: batch.kind, left: countByLane(members) });
    forget(storage.sql, members);
    return waits;
  });
}

function waitsOf(sql: SqlStorage, members: readonly Slice[], now: number): readonly Wait[] {
  const rows = sql.exec<{ at: number; records: number }>(
    `SELECT run.at AS at, member.value ->> 'to' - member.value ->> 'from' AS records
     FROM json_each(?) AS member JOIN run ON run.seq = member.value ->> 'seq'`,
    JSON.stringify(members),
  );
  // The clock may have been set back.
  return Array.from(rows, ({ at, records }) => ({ ms: Math.max(0, now - at), records }));
}

/**
 * Ends a batch. Returns its members as they are stored, or undefined if it has already ended. Then nothing may be
 * done with them. Call it inside the transaction that uses them.
 */
function unseal(sql: SqlStorage, { requestId }: SealedBatch): readonly Slice[] | undefined {
  const [row] = sql
    .exec<{ members: string }>('DELETE FROM batch WHERE request_id = ? RETURNING members', requestId)
    .toArray();
  return row && JSON.parse(row.members);
}

/**
 * Ends a batch that WebEngage has not accepted, like `unseal`. Records that were to be erased once its outcome is
 * known are erased, and are no members any more.
 */
export function withdraw(sql: SqlStorage, batch: SealedBatch, now: number): readonly Slice[] | undefined {
  const isSealed = storedBatch(sql, batch) !== undefined;
  dropErased(sql, batch.requestId, now);
  // Erasing all of its records has unsealed it.
  return unseal(sql, batch) ?? (isSealed ? [] : undefined);
}

/** Removes these records from their runs. Call it inside a transaction. */
export function forget(sql: SqlStorage, members: readonly Slice[]): void {
  for (const { seq, to } of members) {
    sql.exec('DELETE FROM run WHERE seq = ? AND count = ?', seq, to);
    sql.exec('UPDATE run SET taken = ? WHERE seq = ?', to, seq);
  }
}

export type Postponement = Pick<SealedBatch, 'status' | 'failures' | 'dueAt'> & {
  readonly suspicions?: number;
  /** WebEngage answered that it will not accept the batch. */
  readonly refused?: boolean;
};

/** Keeps a batch unchanged, to be sent again. */
export function postpone(
  storage: DurableObjectStorage,
  { requestId, attempts, ...batch }: SealedBatch,
  { status, failures, dueAt, suspicions = batch.suspicions, refused = false }: Postponement,
  happened: Partial<Totals>,
  now: number,
): void {
  storage.transactionSync(() => {
    const { rowsWritten } = storage.sql.exec(
      `UPDATE batch SET attempts = ?, status = ?, failures = ?, answered_at = ?, refused_at = ?, suspicions = ?,
         due_at = ?, launched = 0
       WHERE request_id = ?`,
      attempts + 1,
      status,
      failures,
      now,
      (refused ? now : batch.refusedAt) ?? null,
      suspicions,
      dueAt,
      requestId,
    );
    if (rowsWritten > 0) count(storage.sql, happened, now);
  });
}

/**
 * Recovers batches whose call left with an outbox that died. Their outcome is unknown and counted as such, and
 * each is sent again unchanged.
 *
 * @param underWay request ids of the calls that this outbox has in flight
 */
export function recoverLaunched(
  storage: DurableObjectStorage,
  underWay: Pick<ReadonlyMap<string, unknown>, 'has'>,
  now: number,
): void {
  for (const batch of launchedBatches(storage.sql))
    if (!underWay.has(batch.requestId))
      postpone(storage, batch, { status: 0, failures: batch.failures, dueAt: now }, { unknown: 1 }, now);
}
