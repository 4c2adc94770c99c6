import type { RecordKind } from '../../contract/record.ts';
import { MINUTE_MS } from '../../pacing/minute.ts';

/**
 * The closed list of what the relay counts, since its outbox began.
 *
 * Records: `entered + requeued = delivered + dead_letter` + those that wait. Calls: `calls` is the sum of
 * `taken` to `too_large`.
 */
const COUNTED = [
  // Records, by what happened on arrival.
  'entered',
  'duplicate',
  'rejected',
  'expired',
  // Of the entered records, those that name a user without an identity token for it.
  'unverified',
  // Records, by how they ended.
  'delivered',
  'dead_letter',
  // Dead letters: requeued because the records were not at fault, and replayed or discarded by the operator.
  'requeued',
  'replayed',
  'discarded',
  // Calls, by WebEngage's answer.
  'taken',
  'refused',
  'paused',
  'misconfigured',
  'unknown',
  'too_large',
  // Of the calls that were taken, those answered with another word than `queued`.
  'unfamiliar',
] as const;

type Counted = (typeof COUNTED)[number];
export type Totals = Readonly<Record<Counted, number>>;

export const NOTHING: Totals = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Record<
  Counted,
  number
>;

/** The totals at the end of a minute. */
export type Minute = { readonly at: number; readonly totals: Totals };

// As far back as the operator's plot goes.
const KEPT_MINUTES = 60;

/** When a call of each kind was last accepted; 0 if none ever was. */
export type TakenAt = Readonly<Record<RecordKind, number>>;

/** Everything that was ever counted, and when calls were last accepted. */
type Tally = { readonly at: number; readonly totals: Totals; readonly takenAt: TakenAt };

/**
 * Rows written are billed, so a flush of new records writes none just to count them. Instead, each run
 * carries the totals `entered` and `unverified` at its time. All other counts are in the row of their minute.
 */
function readTally(sql: SqlStorage): Tally {
  const { at, totals, entered, unverified } = sql
    .exec<{ at: number | null; totals: string | null; entered: number | null; unverified: number | null }>(
      `SELECT latest.at, latest.totals, newest.entered, newest.unverified FROM (SELECT 1)
       LEFT JOIN (SELECT at, totals FROM minute ORDER BY at DESC LIMIT 1) AS latest
       LEFT JOIN (SELECT entered, unverified FROM run ORDER BY seq DESC LIMIT 1) AS newest`,
    )
    .one();
  const counted = parseRow(totals ?? '{}');
  return {
    at: at ?? 0,
    takenAt: counted.takenAt,
    totals: {
      ...counted.totals,
      entered: Math.max(counted.totals.entered, entered ?? 0),
      unverified: Math.max(counted.totals.unverified, unverified ?? 0),
    },
  };
}

/** Everything that was ever counted. */
export function readTotals(sql: SqlStorage): Totals {
  return readTally(sql).totals;
}

export function readTakenAt(sql: SqlStorage): TakenAt {
  return readTally(sql).takenAt;
}

/**
 * Adds to the counts: one row written, that of the current minute.
 *
 * @param taken the kind of the call that was accepted just now, if one was
 */
export function count(sql: SqlStorage, happened: Partial<Totals>, now: number, taken?: RecordKind): void {
  const before = readTally(sql);
  const takenAt = { ...before.takenAt, ...(taken && { [taken]: now }) };
  // If the clock was set back, counting continues in the latest minute: the newest row is the one that
  // counts.
  const at = Math.max(now - (now % MINUTE_MS), before.at);
  sql.exec(
    'INSERT INTO minute (at, totals) VALUES (?, ?) ON CONFLICT DO UPDATE SET totals = excluded.totals',
    at,
    JSON.stringify({ ...sum(before.totals, happened), takenAt }),
  );
  if (at === before.at) return;
  // The newest row from before the hour stays: the first minute of the hour is the difference from it.
  sql.exec(
    'DELETE FROM minute WHERE at < (SELECT MAX(at) FROM minute WHERE at < ?)',
    at - KEPT_MINUTES * MINUTE_MS,
  );
}

/** The last hour, oldest first: a row for each minute in which something was counted. */
export function minutes(sql: SqlStorage): Minute[] {
  return sql
    .exec<{ at: number; totals: string }>('SELECT at, totals FROM minute ORDER BY at')
    .toArray()
    .map(({ at, totals }) => ({ at, totals: parseRow(totals).totals }));
}

/** Records that wait to be sent. */
export function waiting({ entered, requeued, delivered, dead_letter }: Totals): number {
  return entered + requeued - delivered - dead_letter;
}

/** Records that are in the dead letters now. */
export function deadLetters({ dead_letter, requeued, replayed, discarded }: Totals): number {
  return dead_letter - requeued - replayed - discarded;
}

export function sum(totals: Totals, added: Partial<Totals>): Totals {
  return mapTotals((name) => totals[name] + (added[name] ?? 0));
}

export function difference(later: Totals, earlier: Totals): Totals {
  return mapTotals((name) => later[name] - earlier[name]);
}

/** A count that an older release did not have is 0. It called `requeued` `pardoned`. */
function parseRow(json: string): Pick<Tally, 'totals' | 'takenAt'> {
  const { pardoned = 0, takenAt, ...counted }: StoredRow = JSON.parse(json);
  const known: Partial<Totals> = { requeued: pardoned, ...counted };
  return { totals: mapTotals((name) => known[name] ?? 0), takenAt: { user: 0, event: 0, ...takenAt } };
}

type StoredRow = Partial<Totals> & { readonly pardoned?: number; readonly takenAt?: TakenAt };

function mapTotals(amountOf: (name: Counted) => number): Totals {
  return Object.fromEntries(COUNTED.map((name) => [name, amountOf(name)])) as Record<Counted, number>;
}
