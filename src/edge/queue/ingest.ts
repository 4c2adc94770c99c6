import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { Lane } from '../../contract/lane.ts';
import { splitId } from '../../contract/record.ts';
import type { Violations } from '../../plan/off-plan.ts';
import { NO_SHARES, type Sender, type Shares } from '../limits/fair-share.ts';
import { count, deadLetters, readTotals, type Totals, waiting } from './counters.ts';
import { admitNew } from './dedup.ts';
import { type CountViolations, violationTally } from './plan-violations.ts';
import { type NewRun, withoutKnown } from './run.ts';

/** One device's records, checked. */
export type Delivery = Sender & {
  /** A Worker of an earlier version sends none: then `live`. */
  readonly lane?: Lane;
  /** The name of the server that sends. A page has none. */
  readonly sender?: string;
  readonly runs: readonly NewRun[];
  /** How many records of the same batch the ingest endpoint refused, for the counters. */
  readonly refused: Pick<Totals, 'rejected' | 'expired'>;
  /** True if the records of users came without an identity token, and none was required. For the counters. */
  readonly unverified: boolean;
  /** How these and the refused records violate the tracking plan. For the counters. */
  readonly violations?: Violations | undefined;
};

export type Receipt =
  | { readonly stored: true; readonly accepted: number; readonly duplicates: number }
  /**
   * Nothing was stored. With `retryInMs`, the sender has used its share and may come again then. Without,
   * there is no room.
   */
  | { readonly stored: false; readonly retryInMs?: number };

/** The most that an outbox stores. Beyond it, browsers keep their records. */
export type Room = {
  /** Records that wait, and dead letters. */
  readonly records: number;
  readonly bytes: number;
};

// The platform allows 10 GB for an object. The rest is for batches, dead letters and counts, so that stored
// records can always be sent. https://developers.cloudflare.com/durable-objects/platform/limits/
export const MAX_DATABASE_BYTES = 8_000_000_000;

// An alarm set for now, from inside another alarm, can be lost.
// https://github.com/cloudflare/workerd/issues/6866
export const SOONEST_ALARM_MS = 25;

// An alarm that is overdue by this much may never come: the platform may have given it up. It may also wait for
// a long pass to end. Then setting it again costs a row.
const STALE_ALARM_MS = 60_000;

/** True for an alarm that is set and will come for certain. */
export function alarmComes(alarmAt: number | null, now: number): alarmAt is number {
  return alarmAt !== null && alarmAt > now - STALE_ALARM_MS;
}

/** What decides when stored records are sent. */
export type SendingOn = {
  /** When the alarm is set for, or null. */
  readonly alarmAt: number | null;
  readonly lingerMs: number;
  /** Until then, new records are no reason to send: WebEngage is down, or the rate limit is used up. */
  readonly backoffUntil: number;
  /** True if a running pass waits for `fullBatch`, which wakes it without an alarm. */
  readonly awaitsFullBatch: boolean;
  readonly fullBatch: () => void;
  /** Sets the alarm. By default, `storage.setAlarm`. */
  readonly setAlarm?: (at: number) => void;
};

/** What an outbox keeps in memory. */
export type Accounts = { readonly shares: Shares; readonly countViolations: CountViolations };

/**
 * Stores a delivery's new records. Known ids, rows and alarm go into one transaction: all of it, or nothing.
 * The platform holds the answer back until all of it is on disk.
 */
export function ingest(
  storage: DurableObjectStorage,
  { runs: sent, refused, unverified: isUnverified, violations, ...sender }: Delivery,
  sendingOn: SendingOn,
  room: Room,
  now: number,
  { shares = NO_SHARES, countViolations = violationTally().count }: Partial<Accounts> = {},
): Receipt {
  const { device, lane = 'live' } = sender;
  const ids = sent.flatMap((run) => run.ids);
  let known: ReadonlySet<string> = new Set();
  const receipt = storage.transactionSync((): Receipt => {
    const totals = readTotals(storage.sql);
    if (ids.length > 0 && !hasRoom(storage.sql, totals, ids.length, room)) return { stored: false };
    const sessions = new Set(ids.map((id) => splitId(id).session)).size;
    const cost = { records: ids.length, sessions };
    // Shares divide an outbox among visitors. A server has many people, and few devices.
    const retryInMs = lane === 'live' ? shares.enter(sender, cost, waiting(totals), now) : 0;
    if (retryInMs > 0) return { stored: false, retryInMs };

    const fresh = new Set(admitNew(storage.sql, device, ids, now));
    if (violations !== undefined) known = new Set(ids.filter((id) => !fresh.has(id)));
    // `delete` returns whether the id was there: of an id that occurs twice in a delivery, only the first is
    // new.
    const runs = sent.map((run) => withoutKnown(run, (id) => !fresh.delete(id)));

    let { entered, unverified } = totals;
    for (const {
      kind,
      ids: { length },
      ofUsers,
      records,
    } of runs) {
      if (length === 0) continue;
      entered += length;
      if (isUnverified) unverified += ofUsers;
      storage.sql.exec(
        'INSERT INTO run (device, kind, at, count, entered, unverified, records) VALUES (?, ?, ?, ?, ?, ?, ?)',
        device,
        kind,
        now,
        length,
        entered,
        unverified,
        records,
      );
    }
    const accepted = entered - totals.entered;
    const duplicate = ids.length - accepted;
    // Rare, and worth a row. A flush of new records alone writes none for the counters.
    if (duplicate + refused.rejected + refused.expired > 0)
      count(storage.sql, { ...refused, duplicate }, now);
    if (accepted > 0) sendOn(storage, sendingOn, now);
    return { stored: true, accepted, duplicates: duplicate };
  });
  if (!receipt.stored || violations === undefined) return receipt;
  // After the transaction: counts in memory can't be rolled back.
  const isUnwritten = countViolations(storage.sql, violations, (id) => known.has(id), now);
  // A pass writes them. If it comes anyway, nothing is to be done.
  if (isUnwritten && receipt.accepted === 0) sendOn(storage, sendingOn, now);
  return receipt;
}

/** Sets the alarm, or wakes the running pass, so that the new records are sent in time. */
function sendOn(storage: DurableObjectStorage, sendingOn: SendingOn, now: number): void {
  const { alarmAt, lingerMs, backoffUntil, awaitsFullBatch, fullBatch } = sendingOn;
  const dueAt = Math.max(now + SOONEST_ALARM_MS, backoffUntil);
  const comesAnyway = alarmComes(alarmAt, now) && alarmAt <= dueAt;
  if (comesAnyway && !awaitsFullBatch) return;
  const isFull = holdsFullBatch(storage.sql);
  if (isFull) fullBatch();
  const fullOrLingeredAt = isFull ? dueAt : Math.max(dueAt, now + lingerMs);
  if (alarmComes(alarmAt, now) && alarmAt <= fullOrLingeredAt) return;
  const { setAlarm = (at) => void storage.setAlarm(at) } = sendingOn;
  setAlarm(fullOrLingeredAt);
}

/** True if `more` records fit. */
export function hasRoom(sql: SqlStorage, totals: Totals, more: number, { records, bytes }: Room): boolean {
  return waiting(totals) + deadLetters(totals) + more <= records && sql.databaseSize <= bytes;
}

/**
 * True if the oldest rows make a full batch of one kind. Browsers with a sealed batch are left out, because
 * it holds back their later records. Reads at most two batches' worth of rows.
 */
function holdsFullBatch(sql: SqlStorage): boolean {
  const { users, events } = sql
    .exec<{ users: number; events: number }>(
      `SELECT SUM(IIF(kind = 'user', count - taken, 0)) AS users, SUM(IIF(kind = 'event', count - taken, 0)) AS events
       FROM (
         SELECT kind, count, taken FROM run
         WHERE device NOT IN (SELECT member.value ->> 'device' FROM batch, json_each(batch.members) AS member)
         ORDER BY seq LIMIT ?
       )`,
      2 * MAX_BATCH_RECORDS,
    )
    .one();
  return Math.max(users, events) >= MAX_BATCH_RECORDS;
}
