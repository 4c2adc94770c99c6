import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { Lane } from '../../contract/lane.ts';
import type { Violations } from '../../plan/off-plan.ts';
import { NO_SHARES, type Sender, type Shares } from '../limits/fair-share.ts';
import type { SenderCounts } from './counters/sender-counts.ts';
import { count, readTally, type Tally } from './counters/tally.ts';
import type { Totals } from './counters/totals.ts';
import { admitNew, forgetNewIds, formatIds, storedNewIds } from './dedup/new-ids.ts';
import { byPart } from './dedup/page-loads.ts';
import { seqAfter } from './lanes.ts';
import { type CountViolations, violationTally } from './plan-violations.ts';
import { hasRoom, importWaitMs, type Room } from './room.ts';
import { type NewRun, withoutKnown } from './run.ts';
import { sealedDevices, waitingRuns } from './segments/waiting-runs.ts';

/** The records of one browser, or of one device of a server or an import, checked. */
export type Delivery = Sender & {
  /** Live by default: Workers of older releases send no lane. */
  readonly lane?: Lane | undefined;
  /** The name of the server token. Undefined for a page. */
  readonly sender?: string | undefined;
  readonly runs: readonly NewRun[];
  /** How many records of the same batch the ingest endpoint refused, for the counters. */
  readonly refused: Pick<Totals, 'rejected' | 'expired'>;
  /** True if the records of users came without an identity token, and none was required. For the counters. */
  readonly unverified: boolean;
  /** How these and the refused records violate the tracking plan. For the counters. */
  readonly violations?: Violations | undefined;
};

export type Receipt =
  | {
      readonly stored: true;
      readonly accepted: number;
      readonly duplicates: number;
      /** Ids of records that were not stored because their person was erased. Undefined instead of empty. */
      readonly refusedIds?: readonly string[];
    }
  /**
   * Nothing was stored. With `retryInMs`, the sender has used its share and may come again then. Without,
   * there is no room.
   */
  | { readonly stored: false; readonly retryInMs?: number };

// An alarm set for now, from inside another alarm, can be lost.
// https://github.com/cloudflare/workerd/issues/6866
export const SOONEST_ALARM_MS = 25;

// An alarm that is overdue by this much may never come: the platform may have given it up. If it only waits for
// a long pass to end, setting it again costs a row.
const STALE_ALARM_MS = 60_000;

/** True for an alarm that is set and certain to come. */
export function alarmComes(alarmAt: number | null, now: number): alarmAt is number {
  return alarmAt !== null && alarmAt > now - STALE_ALARM_MS;
}

/** When stored records are to be sent. */
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

/** The accounts that an outbox keeps in memory. */
export type Accounts = {
  readonly shares: Shares;
  readonly countViolations: CountViolations;
  readonly countSender: (counts: SenderCounts) => void;
};

/**
 * Stores a delivery's new records. Known ids, rows and alarm go into one transaction, so all of it is stored or none.
 * The platform holds the answer back until all of it is on disk.
 */
export function ingest(
  storage: DurableObjectStorage,
  { runs: sent, refused, unverified: isUnverified, violations, lane = 'live', sender, ...from }: Delivery,
  sendingOn: SendingOn,
  room: Room,
  now: number,
  {
    shares = NO_SHARES,
    countViolations = violationTally().count,
    countSender = () => {},
  }: Partial<Accounts> = {},
): Receipt {
  const { device } = from;
  const ids = sent.flatMap((run) => run.ids);
  const parts = byPart(device, ids);
  let known: ReadonlySet<string> = new Set();
  const store = (): Receipt => {
    const tally = readTally(storage.sql);
    const { totals } = tally;
    if (ids.length > 0 && !hasRoom(storage.sql, totals, ids.length, room)) return { stored: false };
    const retryInMs = {
      live: () => {
        const sessions = new Set(parts.map(({ part }) => part.session)).size;
        return shares.enter(from, { records: ids.length, sessions }, tally.waiting.live, now);
      },
      // The holder of the token is trusted, and can take no more from others than the floor of its lane.
      server: () => 0,
      import: () => importWaitMs(tally.waiting.import, ids.length, room),
    }[lane]();
    if (retryInMs > 0) return { stored: false, retryInMs };

    const fresh = admitNew(storage.sql, device, parts, tally.segments, now);
    if (fresh !== undefined) known = new Set(ids.filter((id) => !fresh.has(id)));
    const runs = fresh === undefined ? sent : onlyFresh(sent, fresh);

    const accepted = insertRuns(storage.sql, runs, { device, lane, isUnverified }, tally, now);
    const duplicate = ids.length - accepted;
    // These are rare, and worth a row. A flush of new records alone writes no row for the counters.
    if (duplicate + refused.rejected + refused.expired > 0)
      count(storage.sql, { ...refused, duplicate }, now);
    const mayBeFull = tally.waiting[lane] + accepted >= MAX_BATCH_RECORDS;
    if (accepted > 0) sendOn(storage, mayBeFull ? lane : undefined, sendingOn, now);
    return { stored: true, accepted, duplicates: duplicate };
  };
  const receipt = inTransaction(storage, store);
  if (!receipt.stored) return receipt;
  // After the transaction: counts in memory can't be rolled back.
  if (sender !== undefined) {
    const { accepted, duplicates } = receipt;
    countSender({ name: sender, lane, accepted, duplicates, rejected: refused.rejected + refused.expired });
  }
  if (violations === undefined) return receipt;
  const isUnwritten = countViolations(storage.sql, violations, (id) => known.has(id), now);
  // A pass writes them. After an accepted record one comes anyway.
  if (isUnwritten && receipt.accepted === 0) sendOn(storage, undefined, sendingOn, now);
  return receipt;
}

/** The runs without known records. Of an id that occurs twice in a delivery, only the first is new. */
function onlyFresh(sent: readonly NewRun[], fresh: ReadonlySet<string>): NewRun[] {
  const left = new Set(fresh);
  return sent.map((run) => withoutKnown(run, (id) => !left.delete(id)));
}

function inTransaction<T>(storage: DurableObjectStorage, act: () => T): T {
  try {
    return storage.transactionSync(act);
  } catch (error) {
    forgetNewIds(storage.sql);
    throw error;
  }
}

/** Stores each run as a row with the totals at its time. Returns the number of records. */
function insertRuns(
  sql: SqlStorage,
  runs: readonly NewRun[],
  {
    device,
    lane,
    isUnverified,
  }: { readonly device: string; readonly lane: Lane; readonly isUnverified: boolean },
  { totals, nextSeq, segments }: Tally,
  now: number,
): number {
  let { entered, unverified } = totals;
  let seq = nextSeq[lane];
  let stored = 0;
  for (const { kind, ids, ofUsers, records } of runs) {
    if (ids.length === 0) continue;
    entered += ids.length;
    if (isUnverified) unverified += ofUsers;
    sql.exec(
      `INSERT INTO ${segments.open} (seq, device, kind, at, count, entered, unverified, ids, records)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      seq,
      device,
      kind,
      now,
      ids.length,
      entered,
      unverified,
      formatIds(device, ids),
      records,
    );
    stored += 1;
    seq = seqAfter(seq, ids.length);
  }
  storedNewIds(sql, stored);
  return entered - totals.entered;
}

/**
 * Sets the alarm, or wakes the running pass, so that the new records are sent in time.
 *
 * @param fullLane the lane that may have a full batch now
 */
function sendOn(
  storage: DurableObjectStorage,
  fullLane: Lane | undefined,
  sendingOn: SendingOn,
  now: number,
): void {
  const { alarmAt, lingerMs, backoffUntil, awaitsFullBatch, fullBatch } = sendingOn;
  const dueAt = Math.max(now + SOONEST_ALARM_MS, backoffUntil);
  const comesAnyway = alarmComes(alarmAt, now) && alarmAt <= dueAt;
  if (comesAnyway && !awaitsFullBatch) return;
  const isFull = fullLane !== undefined && holdsFullBatch(storage.sql, fullLane);
  if (isFull) fullBatch();
  const fullOrLingeredAt = isFull ? dueAt : Math.max(dueAt, now + lingerMs);
  if (alarmComes(alarmAt, now) && alarmAt <= fullOrLingeredAt) return;
  const { setAlarm = (at) => void storage.setAlarm(at) } = sendingOn;
  setAlarm(fullOrLingeredAt);
}

/**
 * True if the lane's oldest runs make a full batch of one kind. Browsers with a sealed batch are left out, because
 * it holds back their later records. Reads at most two batches' worth of rows.
 */
function holdsFullBatch(sql: SqlStorage, lane: Lane): boolean {
  const records = { user: 0, event: 0 };
  for (const { kind, count, taken } of waitingRuns(sql, lane, {
    passedOver: sealedDevices(sql),
    limit: 2 * MAX_BATCH_RECORDS,
  }))
    records[kind] += count - taken;
  return Math.max(records.user, records.event) >= MAX_BATCH_RECORDS;
}
