import { byLane, firstSeq, seqAfter, within } from './lanes.ts';
import { createSegments } from './segments/segments.ts';

/**
 * The outbox's tables. Cloudflare bills rows written. So there is no secondary index, and records that arrive
 * together share one row. https://developers.cloudflare.com/durable-objects/platform/pricing/
 *
 * The number of a run at the front may be reused once the run is gone. Code that keeps one also checks its batch, which
 * has a random id, or its browser. A dead letter's number is never reused, because the operator may ask for it
 * twice.
 */
function createTables(sql: SqlStorage): void {
  // `records` is the last column, so that reading the others never touches its pages.
  sql.exec(`
    CREATE TABLE IF NOT EXISTS run (
      seq INTEGER PRIMARY KEY,
      device TEXT NOT NULL,
      kind TEXT NOT NULL,
      at INTEGER NOT NULL,
      count INTEGER NOT NULL,
      taken INTEGER NOT NULL DEFAULT 0,
      entered INTEGER NOT NULL,
      unverified INTEGER NOT NULL,
      records TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS batch (
      request_id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      members TEXT NOT NULL,
      isolating INTEGER NOT NULL DEFAULT 0,
      launched INTEGER NOT NULL DEFAULT 0,
      attempts INTEGER NOT NULL DEFAULT 0,
      failures INTEGER NOT NULL DEFAULT 0,
      status INTEGER NOT NULL DEFAULT 0,
      answered_at INTEGER NOT NULL DEFAULT 0,
      refused_at INTEGER,
      suspicions INTEGER NOT NULL DEFAULT 0,
      due_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS dead (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      device TEXT NOT NULL,
      kind TEXT NOT NULL,
      accepted_at INTEGER NOT NULL,
      given_up_at INTEGER NOT NULL,
      status INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      proven INTEGER NOT NULL,
      words TEXT NOT NULL,
      record TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS off_plan (only INTEGER PRIMARY KEY CHECK (only = 1), counts TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS minute (at INTEGER PRIMARY KEY, totals TEXT NOT NULL);
  `);
}

// Each step takes the tables to the next version. A released step is never changed: another one follows it.
const MIGRATIONS: readonly ((sql: SqlStorage) => void)[] = [
  // A release before 0.2.0 made the same tables, and stored no version.
  createTables,
  // Dead letters return to their lane. Older releases had only one.
  (sql) => sql.exec("ALTER TABLE dead ADD COLUMN lane TEXT NOT NULL DEFAULT 'live'"),
  // Erasing: whether a batch was ever sent under its id, what of it is to be erased, and who was erased.
  (sql) =>
    sql.exec(`
      ALTER TABLE batch ADD COLUMN sealed_with INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE batch ADD COLUMN to_erase TEXT;
      CREATE TABLE IF NOT EXISTS suppressed (mark TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    `),
  addSegments,
];

type StoredTotals = {
  readonly entered?: number;
  readonly unverified?: number;
  readonly lanes?: Readonly<Record<string, { readonly entered: number }>>;
};

/**
 * Runs are stored in segments from now on. Those that wait already go first. An older release does not find their table:
 * after a rollback to one it stores nothing, and sends nothing in the wrong order or twice.
 */
function addSegments(sql: SqlStorage): void {
  sql.exec(`
    ALTER TABLE run ADD COLUMN ids TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE run RENAME TO run_front;
    ALTER TABLE minute ADD COLUMN settled TEXT NOT NULL DEFAULT '';
  `);
  const [latest] = sql
    .exec<{ at: number; totals: string }>('SELECT at, totals FROM minute ORDER BY at DESC LIMIT 1')
    .toArray();
  const totals: StoredTotals = JSON.parse(latest?.totals ?? '{}');
  createSegments(
    sql,
    byLane((lane) => {
      const [newest] = sql
        .exec<{ seq: number; count: number }>(
          `SELECT seq, count FROM run_front WHERE ${within(lane)} ORDER BY seq DESC LIMIT 1`,
        )
        .toArray();
      const first = firstSeq(lane) + (totals.lanes?.[lane]?.entered ?? 0);
      return newest === undefined ? first : Math.max(first, seqAfter(newest.seq, newest.count));
    }),
  );
  const { entered, unverified } = sql
    .exec<{ entered: number | null; unverified: number | null }>(
      'SELECT MAX(entered) AS entered, MAX(unverified) AS unverified FROM run_front',
    )
    .one();
  if (entered === null) return;
  // Until now, the newest run had them. From now on, only those of the open segment are read.
  const counted = {
    ...totals,
    entered: Math.max(totals.entered ?? 0, entered),
    unverified: Math.max(totals.unverified ?? 0, unverified ?? 0),
  };
  sql.exec(
    'INSERT INTO minute (at, totals) VALUES (?, ?) ON CONFLICT DO UPDATE SET totals = excluded.totals',
    latest?.at ?? 0,
    JSON.stringify(counted),
  );
}

/** Makes the tables, or migrates those of an older release. Leaves those of a newer release as they are. */
export function openTables(storage: DurableObjectStorage): void {
  const version = storage.kv.get<number>('schemaVersion') ?? 0;
  if (version >= MIGRATIONS.length) return;
  storage.transactionSync(() => {
    for (const migrate of MIGRATIONS.slice(version)) migrate(storage.sql);
    storage.kv.put('schemaVersion', MIGRATIONS.length);
  });
}
