import type { Cut, Slice } from './cut.ts';
import type { RecordKind, StoredRecord } from './run.ts';
import { count, type Totals } from './tally.ts';

/** A batch whose members and id are written down: it stays as it is through every retry and every crash. */
export type SealedBatch = {
  readonly id: number;
  /** 32 hexadecimal digits, for `x-request-id`. */
  readonly requestId: string;
  readonly kind: RecordKind;
  readonly members: readonly Slice[];
  /** A part of a batch that was refused, on the way to the one record at fault. */
  readonly isolating: boolean;
  /** Calls made with its records that did not settle them, those made before a batch was halved too. */
  readonly attempts: number;
  /** Of them, calls in a row with this batch of which nobody knows what became. */
  readonly failures: number;
  /** What the last call with it was answered with; 0 where it was not, or there was none. */
  readonly status: number;
  /** When it was refused as it is, if it was. */
  readonly refusedAt: number | undefined;
  readonly dueAt: number;
};

/** All sealed batches that are not settled, oldest first. */
export function sealedBatches(sql: SqlStorage): SealedBatch[] {
  return toBatches(sql.exec<BatchRow>(`SELECT ${COLUMNS} FROM batch ORDER BY id`));
}

const COLUMNS = 'id, request_id, kind, members, isolating, attempts, failures, status, refused_at, due_at';

function toBatches(rows: Iterable<BatchRow>): SealedBatch[] {
  return Array.from(rows, ({ request_id, members, isolating, refused_at, due_at, ...row }) => ({
    ...row,
    requestId: request_id,
    members: JSON.parse(members),
    isolating: isolating === 1,
    refusedAt: refused_at ?? undefined,
    dueAt: due_at,
  }));
}

type BatchRow = {
  id: number;
  request_id: string;
  kind: RecordKind;
  members: string;
  isolating: number;
  attempts: number;
  failures: number;
  status: number;
  refused_at: number | null;
  due_at: number;
};

/** A batch before it has an id of its own in storage. */
type Unsealed = Cut &
  Partial<Pick<SealedBatch, 'isolating' | 'attempts' | 'status' | 'refusedAt'>> & {
    /** Its first call follows at once: one row less than to seal it and then to launch it. */
    readonly launched?: boolean;
  };

/** Seals a batch, before its first call. */
export function seal(
  sql: SqlStorage,
  { kind, members, isolating = false, attempts = 0, status = 0, refusedAt, launched = false }: Unsealed,
  requestId: string,
  now: number,
): SealedBatch {
  const { id } = sql
    .exec<{ id: number }>(
      `INSERT INTO batch (request_id, kind, members, isolating, launched, attempts, status, refused_at, due_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
      requestId,
      kind,
      JSON.stringify(members),
      isolating ? 1 : 0,
      launched ? 1 : 0,
      attempts,
      status,
      refusedAt ?? null,
      now,
    )
    .one();
  return { id, requestId, kind, members, isolating, attempts, failures: 0, status, refusedAt, dueAt: now };
}

/** Writes down that a call with it is about to leave, so that one that is never heard of again is known. */
export function launch(sql: SqlStorage, { id }: SealedBatch): void {
  sql.exec('UPDATE batch SET launched = 1 WHERE id = ?', id);
}

/**
 * At the start of a pass nothing is under way. A call that left and was not heard of left with an outbox that died: it
 * counts as one of which nobody knows what became, and its batch is sent again as it was.
 */
export function recoverLaunched(storage: DurableObjectStorage, now: number): void {
  const lost = toBatches(
    storage.sql.exec<BatchRow>(`SELECT ${COLUMNS} FROM batch WHERE launched = 1 ORDER BY id`),
  );
  for (const batch of lost)
    postpone(storage, batch, { status: 0, failures: batch.failures, dueAt: now }, { unknown: 1 }, now);
}

/** The batch's records, as they were stored. */
export function recordsOf(sql: SqlStorage, { members }: Pick<SealedBatch, 'members'>): StoredRecord[] {
  return members.flatMap(({ seq, from, to }) => {
    const { records } = sql.exec<{ records: string }>('SELECT records FROM run WHERE seq = ?', seq).one();
    const stored: StoredRecord[] = JSON.parse(records);
    return stored.slice(from, to);
  });
}

export function countRecords(members: readonly Slice[]): number {
  return members.reduce((total, { from, to }) => total + to - from, 0);
}

/** Forgets a batch that WebEngage has, and its records with it. */
export function settle(storage: DurableObjectStorage, { id, members }: SealedBatch, now: number): void {
  storage.transactionSync(() => {
    // Counted first: how many records had entered is read off the runs, which are deleted here.
    count(storage.sql, { taken: 1, delivered: countRecords(members) }, now);
    storage.sql.exec('DELETE FROM batch WHERE id = ?', id);
    forget(storage.sql, members);
  });
}

/** Takes these records out of the runs that hold them. To be called inside a transaction. */
export function forget(sql: SqlStorage, members: readonly Slice[]): void {
  for (const { seq, to } of members) {
    sql.exec('DELETE FROM run WHERE seq = ? AND count = ?', seq, to);
    sql.exec('UPDATE run SET taken = ? WHERE seq = ?', to, seq);
  }
}

type Postponement = Pick<SealedBatch, 'status' | 'failures' | 'dueAt'> & {
  readonly refusedAt?: number | undefined;
};

/** Keeps a batch as it is, to be sent again. */
export function postpone(
  storage: DurableObjectStorage,
  { id, attempts, ...batch }: SealedBatch,
  { status, failures, dueAt, refusedAt = batch.refusedAt }: Postponement,
  happened: Partial<Totals>,
  now: number,
): void {
  storage.transactionSync(() => {
    count(storage.sql, happened, now);
    storage.sql.exec(
      'UPDATE batch SET attempts = ?, status = ?, failures = ?, refused_at = ?, due_at = ?, launched = 0 WHERE id = ?',
      attempts + 1,
      status,
      failures,
      refusedAt ?? null,
      dueAt,
      id,
    );
  });
}
