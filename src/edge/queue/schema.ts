/**
 * The outbox's tables. Rows written are what Cloudflare bills, so: no secondary index, and one row for all that came
 * together. A run's number comes again once it is gone: whoever holds one holds its batch too, which has an id of chance. A
 * dead letter's never does: the operator may ask for it twice. https://developers.cloudflare.com/durable-objects/platform/pricing/
 */
function createTables(sql: SqlStorage): void {
  // `records` stands last: reading the other columns then never touches its pages.
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

// What takes the tables from each version to the next. A step that was released is never changed: another one follows it.
const MIGRATIONS: readonly ((sql: SqlStorage) => void)[] = [
  // A release before 0.2.0 made the same tables, and wrote down no version.
  createTables,
];

/** Makes the tables, or brings those of an older release to this one's. Those of a newer release are left as they are. */
export function openTables(storage: DurableObjectStorage): void {
  const version = storage.kv.get<number>('schemaVersion') ?? 0;
  if (version >= MIGRATIONS.length) return;
  storage.transactionSync(() => {
    for (const migrate of MIGRATIONS.slice(version)) migrate(storage.sql);
    storage.kv.put('schemaVersion', MIGRATIONS.length);
  });
}
