import { count } from './counters/tally.ts';
import type { Totals } from './counters/totals.ts';
import type { Slice } from './cut-batch.ts';
import { dropAccepted, dropErased } from './erasure/remove-records.ts';
import { countByLane, laneOf } from './lanes.ts';
import { countRecords, launchedBatches, type SealedBatch, storedBatch } from './sealed-batches.ts';
import { settleSlices } from './segments/settled.ts';

/** How long some records of a batch had waited since they were stored, and their number. */
export type Wait = { readonly ms: number; readonly records: number };

/**
 * Deletes a batch that WebEngage has accepted, and settles its records. Returns how long they had waited, except those
 * of imports, which wait by design.
 */
export function settle(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  happened: Partial<Totals>,
  now: number,
): readonly Wait[] {
  return storage.transactionSync(() => {
    const ended = unseal(storage.sql, batch);
    if (ended === undefined) return [];
    const { members, toErase } = ended;
    const counted = { ...happened, taken: 1, delivered: countRecords(members) };
    const { settled, slices } = settleSlices(storage.sql, members);
    count(storage.sql, counted, now, { taken: batch.kind, left: countByLane(members), settled });
    if (toErase.length > 0) dropAccepted(storage.sql, members, toErase, now);
    const prompt = slices.filter(({ seq }) => laneOf(seq) !== 'import');
    // The clock may have been set back.
    return prompt.map(({ at, records }) => ({ ms: Math.max(0, now - at), records }));
  });
}

/** `toErase`: the places of the records that are to be erased. */
type Unsealed = { readonly members: readonly Slice[]; readonly toErase: readonly number[] };

/**
 * Ends a batch. Returns its members as they are stored, or undefined if it has already ended. Then nothing may be
 * done with them. Call it inside the transaction that uses them.
 */
function unseal(sql: SqlStorage, { requestId }: SealedBatch): Unsealed | undefined {
  const [row] = sql
    .exec<{ members: string; to_erase: string | null }>(
      'DELETE FROM batch WHERE request_id = ? RETURNING members, to_erase',
      requestId,
    )
    .toArray();
  return row && { members: JSON.parse(row.members), toErase: JSON.parse(row.to_erase ?? '[]') };
}

/**
 * Ends a batch that WebEngage has not accepted, like `unseal`. Records that were to be erased once its outcome is
 * known are erased, and are no members any more.
 */
export function withdraw(sql: SqlStorage, batch: SealedBatch, now: number): readonly Slice[] | undefined {
  const isSealed = storedBatch(sql, batch) !== undefined;
  dropErased(sql, batch.requestId, now);
  // Erasing all of its records has unsealed it.
  return unseal(sql, batch)?.members ?? (isSealed ? [] : undefined);
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
