import { splitId } from '../../contract/record.ts';
import { addSeqs, formatSeqs, hasSeq, parseSeqs } from './seq-ranges.ts';

/** How long ids are remembered: a day longer than records are taken, for what was under way at the end. */
const REMEMBERED_DAYS = 8;

const DAY_MS = 24 * 60 * 60 * 1000;

// One row holds what is known of so many of a session's records. More would be fewer rows for the rare long session; but whoever
// scatters numbers makes rows that are dear to read, and one request can touch 400 of them.
const SEQS_PER_ROW = 256;

/** The days that have a table, oldest first. A table a day: expired ones are dropped whole, which writes no row. */
function rememberedDays(sql: SqlStorage): number[] {
  return sql
    .exec<{ day: number }>(
      `SELECT CAST(substr(name, 6) AS INTEGER) AS day FROM sqlite_master
       WHERE type = 'table' AND name GLOB 'seen_[0-9]*' ORDER BY day`,
    )
    .toArray()
    .map(({ day }) => day);
}

/** Drops the tables of days that have expired. True while any is left. */
export function dropExpiredDays(sql: SqlStorage, now: number): boolean {
  const oldest = Math.floor(now / DAY_MS) - REMEMBERED_DAYS;
  for (const day of rememberedDays(sql)) if (day < oldest) sql.exec(`DROP TABLE seen_${day}`);
  return rememberedDays(sql).length > 0;
}

/** Makes today's table, and drops those that have expired. */
function openDay(sql: SqlStorage, now: number): number[] {
  const today = Math.floor(now / DAY_MS);
  const days = rememberedDays(sql);
  if (days.includes(today)) return days;
  dropExpiredDays(sql, now);
  sql.exec(
    `CREATE TABLE seen_${today} (
       device TEXT, session TEXT, part INTEGER, seqs TEXT NOT NULL,
       PRIMARY KEY (device, session, part)
     ) WITHOUT ROWID`,
  );
  return rememberedDays(sql);
}

/**
 * Of these ids of one device, those never seen before; from now on they are seen.
 * Writes one row a session, however many ids. To be called inside the transaction that stores the records.
 */
export function admitNew(
  sql: SqlStorage,
  device: string,
  ids: readonly string[],
  now: number,
): ReadonlySet<string> {
  const today = Math.floor(now / DAY_MS);
  const days = openDay(sql, now);
  const parts = Map.groupBy(new Set(ids), (id) => {
    const { session, seq } = splitId(id);
    return `${session} ${Math.floor(seq / SEQS_PER_ROW)}`;
  });

  const fresh = new Set<string>();
  for (const [key, members] of parts) {
    const [session, part] = key.split(' ');
    // A table at a time: the platform's SQLite takes no more than five SELECTs in one.
    const known = days.flatMap((day) =>
      sql
        .exec<{ seqs: string }>(
          `SELECT seqs FROM seen_${day} WHERE device = ? AND session = ? AND part = ?`,
          device,
          session,
          part,
        )
        .toArray()
        .map(({ seqs }) => ({ day, seqs: parseSeqs(seqs) })),
    );

    const unseen = members.filter((id) => !known.some(({ seqs }) => hasSeq(seqs, splitId(id).seq)));
    if (unseen.length === 0) continue;
    for (const id of unseen) fresh.add(id);
    const ofToday = known.find(({ day }) => day === today)?.seqs ?? [];
    sql.exec(
      `INSERT INTO seen_${today} VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seqs = excluded.seqs`,
      device,
      session,
      part,
      formatSeqs(
        addSeqs(
          ofToday,
          unseen.map((id) => splitId(id).seq),
        ),
      ),
    );
  }
  return fresh;
}
