import { DAY_MS } from '../../../pacing/minute.ts';
import { formatSeqs, joinSeqs, parseSeqs, type Seqs } from '../seq-ranges.ts';
import { keyOf, type Part } from './page-loads.ts';

/** How long ids are remembered: a day longer than records are accepted, for those under way at the end. */
const REMEMBERED_DAYS = 8;

// A cache: the list of tables is read again after each change of it.
const daysOf = new WeakMap<SqlStorage, readonly number[]>();

/**
 * The days that have a table, oldest first. With a table for each day, expired days are dropped whole, which
 * writes no row.
 */
function rememberedDays(sql: SqlStorage): readonly number[] {
  const days =
    daysOf.get(sql) ??
    sql
      .exec<{ day: number }>(
        `SELECT CAST(substr(name, 6) AS INTEGER) AS day FROM sqlite_master
         WHERE type = 'table' AND name GLOB 'seen_[0-9]*' ORDER BY day`,
      )
      .toArray()
      .map(({ day }) => day);
  daysOf.set(sql, days);
  return days;
}

/** Drops the tables of expired days. Returns true while any is left. */
export function dropExpiredDays(sql: SqlStorage, now: number): boolean {
  const oldest = oldestDay(now);
  const expired = rememberedDays(sql).filter((day) => day < oldest);
  if (expired.length > 0) daysOf.delete(sql);
  for (const day of expired) sql.exec(`DROP TABLE seen_${day}`);
  return rememberedDays(sql).length > 0;
}

const oldestDay = (now: number) => Math.floor(now / DAY_MS) - REMEMBERED_DAYS;

/** Makes today's table and drops expired ones. Returns the day. */
function openDay(sql: SqlStorage, now: number): number {
  const today = Math.floor(now / DAY_MS);
  if (rememberedDays(sql).includes(today)) return today;
  dropExpiredDays(sql, now);
  sql.exec(
    `CREATE TABLE IF NOT EXISTS seen_${today} (
       device TEXT, session TEXT, part INTEGER, seqs TEXT NOT NULL,
       PRIMARY KEY (device, session, part)
     ) WITHOUT ROWID`,
  );
  // Not cached before the transaction ends: it may still be rolled back.
  daysOf.delete(sql);
  return today;
}

// The platform's SQLite allows no more in one query.
const MAX_SELECTS = 5;

/**
 * What is remembered of some parts of a device's page loads, by their keys. Takes a few queries, however many parts
 * there are.
 */
export function readRemembered(
  sql: SqlStorage,
  device: string,
  parts: readonly Part[],
  now: number,
): ReadonlyMap<string, Seqs> {
  const known = new Map<string, Seqs>();
  const [one, ...others] = parts;
  if (one === undefined) return known;
  // A flush nearly always has one part. A look-up of one is faster than a join.
  const [from, is, wanted] =
    others.length === 0
      ? ['', 'session = ?2 AND part = ?3', [one.session, one.part]]
      : [
          'json_each(?2) AS wanted CROSS JOIN ',
          'session = wanted.value ->> 0 AND part = wanted.value ->> 1',
          [JSON.stringify(parts.map(({ session, part }) => [session, part]))],
        ];
  const days = rememberedDays(sql).filter((day) => day >= oldestDay(now));
  for (let first = 0; first < days.length; first += MAX_SELECTS) {
    const selects = days
      .slice(first, first + MAX_SELECTS)
      .map((day) => `SELECT session, part, seqs FROM ${from}seen_${day} WHERE device = ?1 AND ${is}`);
    const rows = sql.exec<Omit<Part, 'device'> & { seqs: string }>(
      selects.join(' UNION ALL '),
      device,
      ...wanted,
    );
    for (const { session, part, seqs } of rows) {
      const key = keyOf({ device, session, part });
      known.set(key, joinSeqs(known.get(key) ?? [], parseSeqs(seqs)));
    }
  }
  return known;
}

/** Remembers parts of page loads from now on: one row for each. */
export function remember(
  sql: SqlStorage,
  parts: Iterable<{ readonly part: Part; readonly seqs: Seqs }>,
  now: number,
): void {
  const today = openDay(sql, now);
  for (const { part, seqs } of parts)
    sql.exec(
      `INSERT INTO seen_${today} (device, session, part, seqs) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seqs = excluded.seqs`,
      part.device,
      part.session,
      part.part,
      formatSeqs(seqs),
    );
}
