import { splitId } from '../../../contract/record.ts';
import { DAY_MS } from '../../../pacing/minute.ts';
import { addSeqs, formatSeqs, hasSeq, parseSeqs } from './seq-ranges.ts';

/** How long ids are remembered: a day longer than records are accepted, for those under way at the end. */
const REMEMBERED_DAYS = 8;

// How many of a page load's sequence numbers share a row. More would save rows for the rare long page load.
// But a sender that scatters its numbers makes rows that are slow to read, and one request can touch 400 of
// them.
const SEQS_PER_ROW = 256;

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
  const oldest = Math.floor(now / DAY_MS) - REMEMBERED_DAYS;
  const expired = rememberedDays(sql).filter((day) => day < oldest);
  if (expired.length > 0) daysOf.delete(sql);
  for (const day of expired) sql.exec(`DROP TABLE seen_${day}`);
  return rememberedDays(sql).length > 0;
}

/** Makes today's table and drops expired ones. Returns the days that are remembered. */
function openDay(sql: SqlStorage, now: number): readonly number[] {
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
  // Not cached before the transaction ends: it may still be rolled back.
  daysOf.delete(sql);
  return [...days.filter((day) => day >= today - REMEMBERED_DAYS), today];
}

// The platform's SQLite allows no more in one query.
const MAX_SELECTS = 5;

type Known = { readonly day: number; readonly session: string; readonly part: number; readonly seqs: string };

/**
 * What is known of some parts of a device's page loads. Takes a few queries, however many parts there are.
 */
function readKnown(
  sql: SqlStorage,
  days: readonly number[],
  device: string,
  parts: readonly (readonly [session: string, part: number])[],
): readonly Known[] {
  const [one, ...others] = parts;
  // A flush nearly always has one part. A look-up of one is faster than a join.
  const [from, is, wanted] =
    one !== undefined && others.length === 0
      ? ['', 'session = ?2 AND part = ?3', one]
      : [
          'json_each(?2) AS wanted CROSS JOIN ',
          'session = wanted.value ->> 0 AND part = wanted.value ->> 1',
          [JSON.stringify(parts)],
        ];
  const known: Known[] = [];
  for (let first = 0; first < days.length; first += MAX_SELECTS) {
    const selects = days
      .slice(first, first + MAX_SELECTS)
      .map(
        (day) =>
          `SELECT ${day} AS day, session, part, seqs FROM ${from}seen_${day} WHERE device = ?1 AND ${is}`,
      );
    known.push(...sql.exec<Known>(selects.join(' UNION ALL '), device, ...wanted));
  }
  return known;
}

/**
 * Returns those of one device's ids that were not seen before, and remembers them. Writes one row for every
 * `SEQS_PER_ROW` numbers of a page load, however many ids. Call it inside the transaction that stores the
 * records.
 */
export function admitNew(
  sql: SqlStorage,
  device: string,
  ids: readonly string[],
  now: number,
): ReadonlySet<string> {
  const today = Math.floor(now / DAY_MS);
  const days = openDay(sql, now);
  const keyOf = (session: string, part: number) => `${session} ${part}`;
  const parts = Map.groupBy(new Set(ids), (id) => {
    const { session, seq } = splitId(id);
    return keyOf(session, Math.floor(seq / SEQS_PER_ROW));
  });
  const wanted = [...parts.keys()].map((key) => {
    const [session = '', part] = key.split(' ');
    return [session, Number(part)] as const;
  });
  const known = Map.groupBy(readKnown(sql, days, device, wanted), ({ session, part }) =>
    keyOf(session, part),
  );

  const fresh = new Set<string>();
  for (const [session, part] of wanted) {
    const key = keyOf(session, part);
    const seen = (known.get(key) ?? []).map(({ day, seqs }) => ({ day, seqs: parseSeqs(seqs) }));
    const unseen = (parts.get(key) ?? []).filter(
      (id) => !seen.some(({ seqs }) => hasSeq(seqs, splitId(id).seq)),
    );
    if (unseen.length === 0) continue;
    for (const id of unseen) fresh.add(id);
    const ofToday = seen.find(({ day }) => day === today)?.seqs ?? [];
    const seqs = addSeqs(
      ofToday,
      unseen.map((id) => splitId(id).seq),
    );
    sql.exec(
      `INSERT INTO seen_${today} (device, session, part, seqs) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seqs = excluded.seqs`,
      device,
      session,
      part,
      formatSeqs(seqs),
    );
  }
  return fresh;
}
