import type { Lane } from '../../../contract/lane.ts';
import type { RecordKind } from '../../../contract/record.ts';
import { withdraw } from '../call-outcome.ts';
import { count, readTally } from '../counters/tally.ts';
import { byLane, countByLane, laneOf, within } from '../lanes.ts';
import { recordsOf, type SealedBatch, seal } from '../sealed-batches.ts';
import { settleSlices } from '../segments/settled.ts';

/** How WebEngage refused a call, and what that says about its records. */
export type RefusedWith = {
  readonly status: number;
  readonly words: string;
  /** Refused again, with others accepted in between: a refusal streak does not requeue it. */
  readonly proven: boolean;
  /** The count that the call adds to. Undefined if no call was made. */
  readonly counted: 'refused' | 'misconfigured' | 'unknown' | 'too_large' | undefined;
  /** The suspicions that each half begins with. */
  readonly suspicions: number;
};

/** A record that WebEngage refuses by itself, with everything that is known about it. */
export type DeadLetter = {
  readonly id: number;
  readonly device: string;
  readonly kind: RecordKind;
  /** When the relay stored it. */
  readonly acceptedAt: number;
  readonly givenUpAt: number;
  /** The status of WebEngage's answer, and its message. */
  readonly status: number;
  readonly words: string;
  /** Calls that it was part of. */
  readonly attempts: number;
  /** The record as it was stored, in JSON. */
  readonly record: string;
};

/** A dead letter as it is stored. */
export type DeadRow = {
  id: number;
  device: string;
  kind: RecordKind;
  accepted_at: number;
  given_up_at: number;
  status: number;
  attempts: number;
  proven: number;
  words: string;
  record: string;
  lane: Lane;
};

/** Moves the only record of a refused batch to the dead letters. Later records of its browser go on. */
export function moveToDeadLetters(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  { status, words, proven, counted }: RefusedWith,
  now: number,
): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    const members = withdraw(sql, batch, now);
    if (members === undefined) return;
    const ofCall = counted && { [counted]: 1 };
    const [slice] = members;
    // Its person was erased in the meantime.
    if (slice === undefined) return count(sql, { ...ofCall }, now);
    const [record] = recordsOf(sql, { members });
    const { settled, slices } = settleSlices(sql, members);
    sql.exec(
      `INSERT INTO dead (device, kind, accepted_at, given_up_at, status, attempts, proven, words, record, lane)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      slice.device,
      batch.kind,
      slices[0]?.at ?? now,
      now,
      status,
      batch.attempts + 1,
      proven ? 1 : 0,
      words,
      JSON.stringify(record),
      laneOf(slice.seq),
    );
    count(sql, { ...ofCall, dead_letter: 1 }, now, { left: countByLane(members), settled });
  });
}

// The times of a streak are by the gate's clock, and may differ by this much. A dead letter too many is only
// sent once more; one too few would stay.
const CLOCKS_DIFFER_MS = 2_000;

/**
 * Requeues the dead letters of a refusal streak: every call was refused then, so the records are not at
 * fault. They go to the front of their lane in their order, each as a batch of its own. Returns how many.
 *
 * While the streak lasts, no later record of their browsers has been accepted. After it has ended, some may
 * have been: an outbox that asks the gate for nothing learns of the streak only then.
 */
export function requeue(
  storage: DurableObjectStorage,
  { since, until }: { readonly since: number; readonly until: number | undefined },
  newRequestId: () => string,
  now: number,
): number {
  const { sql } = storage;
  return storage.transactionSync(() => {
    const rows = sql
      .exec<DeadRow>(
        'SELECT * FROM dead WHERE given_up_at BETWEEN ? AND ? AND proven = 0 ORDER BY id DESC',
        since - CLOCKS_DIFFER_MS,
        until ?? now,
      )
      .toArray();
    if (rows.length === 0) return 0;
    const {
      totals: { entered, unverified },
      segments,
    } = readTally(sql);
    for (const { id, device, kind, accepted_at, given_up_at, status, attempts, record, lane } of rows) {
      const { seq } = sql
        .exec<{ seq: number }>(
          `INSERT INTO run_front (seq, device, kind, at, count, entered, unverified, records)
           SELECT COALESCE(MIN(seq), ?) - 1, ?, ?, ?, 1, ?, ?, ? FROM run_front WHERE ${within(lane)} RETURNING seq`,
          segments.closedFrom[lane],
          device,
          kind,
          accepted_at,
          entered,
          unverified,
          `[${record}]`,
        )
        .one();
      const members = [{ seq, device, from: 0, to: 1 }];
      const then = { status, attempts, answeredAt: given_up_at, refusedAt: given_up_at };
      seal(sql, { kind, members, isolating: true, ...then }, newRequestId(), now);
      sql.exec('DELETE FROM dead WHERE id = ?', id);
    }
    const left = byLane((lane) => -rows.filter((row) => row.lane === lane).length);
    count(sql, { requeued: rows.length }, now, { left });
    return rows.length;
  });
}
