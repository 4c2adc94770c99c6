import type { Cut, Slice } from './cut.ts';
import type { RecordKind, Run, StoredRecord } from './run.ts';

/** A batch whose members and id are written down: it stays as it is through every retry and every crash. */
export type SealedBatch = {
  readonly id: number;
  /** 32 hexadecimal digits, for `x-request-id`. */
  readonly requestId: string;
  readonly kind: RecordKind;
  readonly members: readonly Slice[];
  /** Calls made with it that did not settle it. */
  readonly attempts: number;
  /** What the last of them was answered with; 0 where it was not. */
  readonly status: number;
  readonly dueAt: number;
};

// As many of the oldest runs as a cut looks at.
const RUNS_IN_VIEW = 400;

/** The oldest runs of browsers that have nothing in flight, as they stand behind nobody else's trouble. */
export function oldestRuns(sql: SqlStorage, sealed: readonly SealedBatch[]): Run[] {
  const busy = new Set(sealed.flatMap(({ members }) => members.map(({ device }) => device)));
  return sql
    .exec<Run>(
      `SELECT seq, device, kind, at, count, taken FROM run
       WHERE device NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?`,
      JSON.stringify([...busy]),
      RUNS_IN_VIEW,
    )
    .toArray();
}

/** All sealed batches that are not settled, oldest first. */
export function sealedBatches(sql: SqlStorage): SealedBatch[] {
  return sql
    .exec<{
      id: number;
      request_id: string;
      kind: RecordKind;
      members: string;
      attempts: number;
      status: number;
      due_at: number;
    }>('SELECT id, request_id, kind, members, attempts, status, due_at FROM batch ORDER BY id')
    .toArray()
    .map(({ request_id, members, due_at, ...row }) => ({
      ...row,
      requestId: request_id,
      members: JSON.parse(members),
      dueAt: due_at,
    }));
}

/** Seals a batch, before its first call. */
export function seal(sql: SqlStorage, { kind, members }: Cut, requestId: string, now: number): SealedBatch {
  const { id } = sql
    .exec<{ id: number }>(
      'INSERT INTO batch (request_id, kind, members, due_at) VALUES (?, ?, ?, ?) RETURNING id',
      requestId,
      kind,
      JSON.stringify(members),
      now,
    )
    .one();
  return { id, requestId, kind, members, attempts: 0, status: 0, dueAt: now };
}

/** The batch's records, as they were stored. */
export function recordsOf(sql: SqlStorage, { members }: SealedBatch): StoredRecord[] {
  return members.flatMap(({ seq, from, to }) => {
    const { records } = sql.exec<{ records: string }>('SELECT records FROM run WHERE seq = ?', seq).one();
    const stored: StoredRecord[] = JSON.parse(records);
    return stored.slice(from, to);
  });
}

/** Forgets a batch that WebEngage has, and its records with it. */
export function settle(storage: DurableObjectStorage, { id, members }: SealedBatch): void {
  storage.transactionSync(() => {
    storage.sql.exec('DELETE FROM batch WHERE id = ?', id);
    for (const { seq, to } of members) {
      storage.sql.exec('DELETE FROM run WHERE seq = ? AND count = ?', seq, to);
      storage.sql.exec('UPDATE run SET taken = ? WHERE seq = ?', to, seq);
    }
  });
}

/** Keeps a batch as it is, to be sent again. */
export function postpone(
  sql: SqlStorage,
  { id, attempts }: SealedBatch,
  status: number,
  dueAt: number,
): void {
  sql.exec(
    'UPDATE batch SET attempts = ?, status = ?, due_at = ? WHERE id = ?',
    attempts + 1,
    status,
    dueAt,
    id,
  );
}
