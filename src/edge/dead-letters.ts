import type { RecordKind } from './run.ts';
import { forget, recordsOf, type SealedBatch, seal } from './sealed.ts';
import { count, readTotals } from './tally.ts';

/** What WebEngage said as it refused a call. */
export type RefusedWith = {
  readonly status: number;
  readonly words: string;
  /** Refused again, with others taken between: no wall of refusals takes it back. */
  readonly proven: boolean;
};

/** A record that WebEngage refuses by itself, kept with all that is known of it. */
export type DeadLetter = {
  readonly id: number;
  readonly device: string;
  readonly kind: RecordKind;
  /** When the relay took it. */
  readonly acceptedAt: number;
  readonly givenUpAt: number;
  /** What WebEngage answered, and its words. */
  readonly status: number;
  readonly words: string;
  /** Calls it was part of. */
  readonly attempts: number;
  /** As it was stored, in JSON. */
  readonly record: string;
};

type DeadRow = {
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
};

/** Moves the one record of a refused batch to the dead letters. What its browser sent after it goes on. */
export function bury(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  { status, words, proven }: RefusedWith,
  now: number,
): void {
  const { sql } = storage;
  const [slice] = batch.members;
  const [record] = recordsOf(sql, batch);
  if (slice === undefined || record === undefined) return;
  storage.transactionSync(() => {
    const { at } = sql.exec<{ at: number }>('SELECT at FROM run WHERE seq = ?', slice.seq).one();
    count(sql, { refused: 1, dead_letter: 1 }, now);
    sql.exec(
      `INSERT INTO dead (device, kind, accepted_at, given_up_at, status, attempts, proven, words, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      slice.device,
      batch.kind,
      at,
      now,
      status,
      batch.attempts + 1,
      proven ? 1 : 0,
      words,
      JSON.stringify(record),
    );
    sql.exec('DELETE FROM batch WHERE id = ?', batch.id);
    forget(sql, batch.members);
  });
}

/**
 * Takes back what was given up since a moment: every call since then was refused, so that it was no fault of theirs. They
 * go to the front, in their order, each as a batch of its own: nothing their browsers made later has been taken yet.
 */
export function pardon(
  storage: DurableObjectStorage,
  since: number,
  newRequestId: () => string,
  now: number,
): number {
  const { sql } = storage;
  return storage.transactionSync(() => {
    const rows = sql
      .exec<DeadRow>('SELECT * FROM dead WHERE given_up_at >= ? AND proven = 0 ORDER BY id DESC', since)
      .toArray();
    if (rows.length === 0) return 0;
    const { entered } = readTotals(sql);
    for (const { id, device, kind, accepted_at, given_up_at, status, attempts, record } of rows) {
      const { seq } = sql
        .exec<{ seq: number }>(
          `INSERT INTO run (seq, device, kind, at, count, entered, records)
           SELECT COALESCE(MIN(seq), 1) - 1, ?, ?, ?, 1, ?, ? FROM run RETURNING seq`,
          device,
          kind,
          accepted_at,
          entered,
          `[${record}]`,
        )
        .one();
      const members = [{ seq, device, from: 0, to: 1 }];
      const refusedAt = given_up_at;
      seal(sql, { kind, members, isolating: true, attempts, status, refusedAt }, newRequestId(), now);
      sql.exec('DELETE FROM dead WHERE id = ?', id);
    }
    count(sql, { pardoned: rows.length }, now);
    return rows.length;
  });
}

/** Dead letters after an id, oldest first. */
export function listDead(sql: SqlStorage, afterId: number, limit: number): DeadLetter[] {
  return sql
    .exec<DeadRow>('SELECT * FROM dead WHERE id > ? ORDER BY id LIMIT ?', afterId, limit)
    .toArray()
    .map(({ accepted_at, given_up_at, proven: _, ...row }) => ({
      ...row,
      acceptedAt: accepted_at,
      givenUpAt: given_up_at,
    }));
}

/** Some dead letters by their ids, or all that were given up until a moment. */
export type DeadSelection = { readonly ids: readonly number[] } | { readonly until: number };

/**
 * Sends dead letters again, as if they had come now: behind everything that waits, their browsers' later records too.
 * At most `limit` of them; answers how many.
 */
export function replay(
  storage: DurableObjectStorage,
  selection: DeadSelection,
  limit: number,
  now: number,
): number {
  const { sql } = storage;
  return takeOut(storage, selection, limit, 'replayed', now, (rows) => {
    let { entered } = readTotals(sql);
    for (const { device, kind, accepted_at, record } of rows) {
      entered += 1;
      sql.exec(
        'INSERT INTO run (device, kind, at, count, entered, records) VALUES (?, ?, ?, 1, ?, ?)',
        device,
        kind,
        accepted_at,
        entered,
        `[${record}]`,
      );
    }
  });
}

/** Throws dead letters away, for good. At most `limit` of them; answers how many. */
export function discard(
  storage: DurableObjectStorage,
  selection: DeadSelection,
  limit: number,
  now: number,
): number {
  return takeOut(storage, selection, limit, 'discarded', now, () => {});
}

/** Takes some out of the dead letters, and does with them what is to be done, at once or not at all. */
function takeOut(
  storage: DurableObjectStorage,
  selection: DeadSelection,
  limit: number,
  counted: 'replayed' | 'discarded',
  now: number,
  then: (rows: readonly DeadRow[]) => void,
): number {
  const { sql } = storage;
  return storage.transactionSync(() => {
    const rows = select(sql, selection, limit);
    if (rows.length === 0) return 0;
    then(rows);
    for (const { id } of rows) sql.exec('DELETE FROM dead WHERE id = ?', id);
    count(sql, { [counted]: rows.length }, now);
    return rows.length;
  });
}

function select(sql: SqlStorage, selection: DeadSelection, limit: number): DeadRow[] {
  return 'until' in selection
    ? sql
        .exec<DeadRow>(
          'SELECT * FROM dead WHERE given_up_at <= ? ORDER BY id LIMIT ?',
          selection.until,
          limit,
        )
        .toArray()
    : sql
        .exec<DeadRow>(
          'SELECT * FROM dead WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?',
          JSON.stringify(selection.ids),
          limit,
        )
        .toArray();
}
