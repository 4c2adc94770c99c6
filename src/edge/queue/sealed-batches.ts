import type { RecordKind } from '../../contract/record.ts';
import type { Cut, Slice } from './cut-batch.ts';
import type { StoredRecord } from './run.ts';
import { segmentsOf, tableOf } from './segments/segments.ts';

/** A batch whose members and id are stored. Both stay the same through every retry and every crash. */
export type SealedBatch = {
  /** 32 random hexadecimal digits: the `x-request-id`, and the batch's key here. */
  readonly requestId: string;
  readonly kind: RecordKind;
  readonly members: readonly Slice[];
  /** A part of a refused batch, in the search for the record at fault, or a requeued dead letter. */
  readonly isolating: boolean;
  /** Calls with its records that did not settle them, including those made before a batch was halved. */
  readonly attempts: number;
  /** How many of these, in a row up to the last one, led to a backoff. */
  readonly failures: number;
  /** The status of the last answer to it; 0 if there was none, or no call yet. */
  readonly status: number;
  /** When that was. */
  readonly answeredAt: number;
  /** When it was last refused, also as a part of a larger batch. */
  readonly refusedAt: number | undefined;
  /**
   * How often it was not accepted while others of its kind were: evidence against the batch, not WebEngage.
   */
  readonly suspicions: number;
  readonly dueAt: number;
};

const COLUMNS =
  'request_id, kind, members, isolating, attempts, failures, status, answered_at, refused_at, suspicions, due_at';

// In the order of `COLUMNS`.
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

/** All sealed batches, in the order in which they are due. */
export function sealedBatches(sql: SqlStorage): SealedBatch[] {
  return readBatches(sql, `SELECT ${COLUMNS} FROM batch`).sort((a, b) => a.dueAt - b.dueAt);
}

/** Batches whose call has no stored answer. */
export function launchedBatches(sql: SqlStorage): SealedBatch[] {
  return readBatches(sql, `SELECT ${COLUMNS} FROM batch WHERE launched = 1`);
}

/**
 * The batch as it is stored now. Erasing moves the slices of a batch that is in flight, though its records stay
 * the same. Undefined if it has ended.
 */
export function storedBatch(sql: SqlStorage, { requestId }: SealedBatch): SealedBatch | undefined {
  return readBatches(sql, `SELECT ${COLUMNS} FROM batch WHERE request_id = ?`, requestId)[0];
}

/**
 * The batch, if no call was made with it since it had this many attempts. Undefined if one was, or is in
 * flight.
 */
export function untriedBatch(
  sql: SqlStorage,
  { requestId, attempts }: Pick<SealedBatch, 'requestId' | 'attempts'>,
): SealedBatch | undefined {
  const where = 'WHERE request_id = ? AND attempts = ? AND launched = 0';
  return readBatches(sql, `SELECT ${COLUMNS} FROM batch ${where}`, requestId, attempts)[0];
}

/**
 * True if another sealed batch holds records of one of its browsers. That happens if a batch was halved
 * between two of a browser's records, or if dead letters of a browser were requeued.
 */
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

/** How many batches are part of a search for refused records. */
export function countIsolating(sql: SqlStorage): number {
  return sql.exec<{ parts: number }>('SELECT SUM(isolating) AS parts FROM batch').one().parts ?? 0;
}

/** Reads rows as arrays, which takes a quarter of the time: a look for work may read hundreds. */
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

/** A batch to be sealed. Fields that are left out get their initial values. */
type Unsealed = Cut &
  Partial<Omit<SealedBatch, 'requestId' | 'dueAt'>> & {
    /** The first call follows at once. This saves the row that `launch` would write. */
    readonly launched?: boolean;
  };

/** Stores a batch, before its first call. */
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
    `INSERT INTO batch (${COLUMNS}, launched, sealed_with) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
    batch.attempts,
  );
  return batch;
}

/**
 * Stores that a call with the batch is about to leave. If the outbox then dies, the next pass knows of it.
 */
export function launch(sql: SqlStorage, { requestId }: SealedBatch): void {
  sql.exec('UPDATE batch SET launched = 1 WHERE request_id = ?', requestId);
}

/** The batch's records, as they were stored. */
export function recordsOf(sql: SqlStorage, { members }: Pick<SealedBatch, 'members'>): StoredRecord[] {
  const segments = segmentsOf(sql);
  return members.flatMap(({ seq, from, to }) => {
    const { records } = sql
      .exec<{ records: string }>(`SELECT records FROM ${tableOf(segments, seq)} WHERE seq = ?`, seq)
      .one();
    const stored: StoredRecord[] = JSON.parse(records);
    return stored.slice(from, to);
  });
}

export function countRecords(members: readonly Slice[]): number {
  return members.reduce((total, { from, to }) => total + to - from, 0);
}
