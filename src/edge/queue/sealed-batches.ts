import type { RecordKind } from '../../contract/record.ts';
import { count, type Totals } from './counters.ts';
import type { Cut, Slice } from './cut-batch.ts';
import type { StoredRecord } from './run.ts';

/** A batch whose members and id are written down: it stays as it is through every retry and every crash. */
export type SealedBatch = {
  /** 32 hexadecimal digits, of chance: `x-request-id`, and what it is known by here. */
  readonly requestId: string;
  readonly kind: RecordKind;
  readonly members: readonly Slice[];
  /** A part of a batch that was refused, on the way to the one record at fault. */
  readonly isolating: boolean;
  /** Calls made with its records that did not settle them, those made before a batch was halved too. */
  readonly attempts: number;
  /** Of them, how many in a row it was sent again for, as it is. */
  readonly failures: number;
  /** What the last call with it was answered with; 0 where it was not, or there was none. */
  readonly status: number;
  /** When that was. */
  readonly answeredAt: number;
  /** When it was last answered that it will not be taken, in the whole it was a part of too. */
  readonly refusedAt: number | undefined;
  /** How often it was not taken, while others of its kind were: what speaks against it, and not against WebEngage. */
  readonly suspicions: number;
  readonly dueAt: number;
};

const COLUMNS =
  'request_id, kind, members, isolating, attempts, failures, status, answered_at, refused_at, suspicions, due_at';

// As they stand in COLUMNS.
type BatchRow = [
  requestId: string,
  kind: RecordKind,
  members: string,
  isolating: number,
  attempts: number,
  failures: number,
  status: number,
  answeredAt: number,
  refusedAt: number | null,
  suspicions: number,
  dueAt: number,
];

/** All sealed batches that are not settled, those first that are due first. */
export function sealedBatches(sql: SqlStorage): SealedBatch[] {
  return readBatches(sql, `SELECT ${COLUMNS} FROM batch`).sort((a, b) => a.dueAt - b.dueAt);
}

/** A batch with which no call was made since it had so many attempts; undefined where one was, or is under way. */
export function untriedBatch(
  sql: SqlStorage,
  { requestId, attempts }: Pick<SealedBatch, 'requestId' | 'attempts'>,
): SealedBatch | undefined {
  const where = 'WHERE request_id = ? AND attempts = ? AND launched = 0';
  return readBatches(sql, `SELECT ${COLUMNS} FROM batch ${where}`, requestId, attempts)[0];
}

/** True where another sealed batch holds records of one of its browsers, as the halves of one do that was cut between two. */
export function sharesBrowser(sql: SqlStorage, { requestId, members }: SealedBatch): boolean {
  const { shared } = sql
    .exec<{ shared: number }>(
      `SELECT EXISTS (
         SELECT 1 FROM batch, json_each(batch.members) AS member
         WHERE request_id <> ? AND member.value ->> 'device' IN (SELECT value FROM json_each(?))
       ) AS shared`,
      requestId,
      JSON.stringify(members.map(({ device }) => device)),
    )
    .one();
  return shared === 1;
}

/** How many parts of refused batches there are. */
export function countIsolating(sql: SqlStorage): number {
  return sql.exec<{ parts: number }>('SELECT SUM(isolating) AS parts FROM batch').one().parts ?? 0;
}

/** Read with every look for work, hundreds at a time: rows without names take a quarter of the time. */
function readBatches(sql: SqlStorage, query: string, ...bindings: unknown[]): SealedBatch[] {
  return Array.from(
    sql.exec(query, ...bindings).raw<BatchRow>(),
    ([
      requestId,
      kind,
      members,
      isolating,
      attempts,
      failures,
      status,
      answeredAt,
      refusedAt,
      suspicions,
      dueAt,
    ]) => ({
      requestId,
      kind,
      members: JSON.parse(members),
      isolating: isolating === 1,
      attempts,
      failures,
      status,
      answeredAt,
      refusedAt: refusedAt ?? undefined,
      suspicions,
      dueAt,
    }),
  );
}

/** A batch that is to be: what is left out has not happened yet. */
type Unsealed = Cut &
  Partial<Omit<SealedBatch, 'requestId' | 'dueAt'>> & {
    /** Its first call follows at once: one row less than to seal it and then to launch it. */
    readonly launched?: boolean;
  };

/** Seals a batch, before its first call. */
export function seal(
  sql: SqlStorage,
  { launched = false, ...cut }: Unsealed,
  requestId: string,
  now: number,
): SealedBatch {
  const unsent = {
    isolating: false,
    attempts: 0,
    failures: 0,
    status: 0,
    answeredAt: 0,
    refusedAt: undefined,
    suspicions: 0,
  };
  const batch: SealedBatch = { ...unsent, ...cut, requestId, dueAt: now };
  sql.exec(
    `INSERT INTO batch (${COLUMNS}, launched) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    requestId,
    batch.kind,
    JSON.stringify(batch.members),
    batch.isolating ? 1 : 0,
    batch.attempts,
    batch.failures,
    batch.status,
    batch.answeredAt,
    batch.refusedAt ?? null,
    batch.suspicions,
    now,
    launched ? 1 : 0,
  );
  return batch;
}

/** Writes down that a call with it is about to leave, so that one that is never heard of again is known. */
export function launch(sql: SqlStorage, { requestId }: SealedBatch): void {
  sql.exec('UPDATE batch SET launched = 1 WHERE request_id = ?', requestId);
}

/**
 * At the start of a pass nothing is under way. A call that left and was not heard of left with an outbox that died: it
 * counts as one of which nobody knows what became, and its batch is sent again as it was.
 */
export function recoverLaunched(storage: DurableObjectStorage, now: number): void {
  const lost = readBatches(storage.sql, `SELECT ${COLUMNS} FROM batch WHERE launched = 1`);
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
export function settle(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  happened: Partial<Totals>,
  now: number,
): void {
  storage.transactionSync(() => {
    if (!unseal(storage.sql, batch)) return;
    // Counted first: how many records had entered is read off the runs, which are deleted here.
    count(storage.sql, { ...happened, taken: 1, delivered: countRecords(batch.members) }, now, batch.kind);
    forget(storage.sql, batch.members);
  });
}

/**
 * Ends a batch. False where it has ended already: then its members are no more what they were, and nothing may be done
 * with them. To be called inside the transaction that does it.
 */
export function unseal(sql: SqlStorage, { requestId }: SealedBatch): boolean {
  return sql.exec('DELETE FROM batch WHERE request_id = ?', requestId).rowsWritten > 0;
}

/** Takes these records out of the runs that hold them. To be called inside a transaction. */
export function forget(sql: SqlStorage, members: readonly Slice[]): void {
  for (const { seq, to } of members) {
    sql.exec('DELETE FROM run WHERE seq = ? AND count = ?', seq, to);
    sql.exec('UPDATE run SET taken = ? WHERE seq = ?', to, seq);
  }
}

export type Postponement = Pick<SealedBatch, 'status' | 'failures' | 'dueAt'> & {
  readonly suspicions?: number;
  /** It was answered that it will not be taken. */
  readonly refused?: boolean;
};

/** Keeps a batch as it is, to be sent again. */
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
