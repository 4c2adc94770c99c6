import { MINUTE_MS } from '../../pacing/minute.ts';
import { deadLetters, type Totals, waiting } from './counters/totals.ts';

/** The most that an outbox stores. Once it is full, browsers keep their records. */
export type Room = {
  /** Waiting records and dead letters together. */
  readonly records: number;
  readonly bytes: number;
  /** Waiting records of the import lane. Beyond that, the rest of a file stays with its sender. */
  readonly importRecords: number;
};

// The platform allows 10 GB for an object. The rest is for batches, dead letters and counts, so that stored
// records can always be sent. https://developers.cloudflare.com/durable-objects/platform/limits/
const MAX_DATABASE_BYTES = 8_000_000_000;

/**
 * The import lane holds as much as the whole allowance can send in this time. The rest of a file stays on its
 * sender's disk, so the sender knows how far the import has come.
 */
export const IMPORT_AHEAD_MINUTES = 5;

// An import that has to wait returns when its next records would fit if it had the whole allowance. Earlier it
// would be refused again, and later the lane might be empty.
const LEAST_IMPORT_WAIT_MS = 5_000;
const MOST_IMPORT_WAIT_MS = 60_000;

/**
 * The room of one outbox, by its share of the backlog and of the allowance. No room without settings: the relay
 * accepts no batches then either.
 */
export function roomOf(
  settings: { readonly maxBacklogPerShard: number; readonly recordsPerMinutePerShard: number } | undefined,
): Room {
  const records = settings?.maxBacklogPerShard ?? 0;
  const ahead = IMPORT_AHEAD_MINUTES * (settings?.recordsPerMinutePerShard ?? 0);
  return { records, bytes: MAX_DATABASE_BYTES, importRecords: Math.min(records / 2, ahead) };
}

/** True if `more` records fit. */
export function hasRoom(sql: SqlStorage, totals: Totals, more: number, { records, bytes }: Room): boolean {
  return waiting(totals) + deadLetters(totals) + more <= records && sql.databaseSize <= bytes;
}

/**
 * How long an import has to wait before it may send these records; 0 if they fit. An empty lane takes any
 * request, even with a small allowance.
 */
export function importWaitMs(waiting: number, more: number, { importRecords }: Room): number {
  const excess = waiting + more - importRecords;
  if (waiting === 0 || excess <= 0) return 0;
  const gone = (excess / importRecords) * IMPORT_AHEAD_MINUTES * MINUTE_MS;
  return Math.ceil(Math.min(MOST_IMPORT_WAIT_MS, Math.max(LEAST_IMPORT_WAIT_MS, gone)));
}
