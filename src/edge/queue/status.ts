import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import { LANES, type Lane } from '../../contract/lane.ts';
import type { RecordKind } from '../../contract/record.ts';
import type { SenderCounts } from './counters/sender-counts.ts';
import { type Minute, minutes, readTakenAt, readTally, readTotals } from './counters/tally.ts';
import { deadLetters, type Totals, waiting } from './counters/totals.ts';
import type { ViolationCounts } from './plan-violations.ts';
import { hasRoom, type Room } from './room.ts';
import { atOfRun } from './segments/segments.ts';
import { sealedDevices, waitingRuns } from './segments/waiting-runs.ts';

/** The waiting records of a lane. */
export type LaneStatus = {
  readonly lane: Lane;
  readonly records: number;
  /** How long the oldest of them has waited; 0 if the lane is empty. */
  readonly oldestAgeMs: number;
};

/** The status of one outbox. */
export type OutboxStatus = {
  /** Records that wait to be sent. */
  readonly records: number;
  /** How long the oldest of them has waited; 0 if the outbox is empty. */
  readonly oldestAgeMs: number;
  /** Unsettled batches whose records were sent at least once. */
  readonly retrying: number;
  /** Those batches by the status of their last answer. Status 0 means no answer. */
  readonly byStatus: Readonly<Record<string, number>>;
  readonly deadLetters: number;
  readonly databaseBytes: number;
  /** There is no room for another whole batch: browsers keep their records. */
  readonly full: boolean;
  readonly totals: Totals;
  readonly minutes: readonly Minute[];
  readonly violations: ViolationCounts;
  /** The most important lane first. */
  readonly lanes: readonly LaneStatus[];
  /** The records of servers, by server and lane. */
  readonly senders: readonly SenderCounts[];
};

/** Whether the outbox takes records and sends them. */
export type QueueHealth = {
  /**
   * The oldest waiting records by kind, and when a call of that kind was last accepted; 0 if never. `lane`: null
   * for records that have been sent before.
   */
  readonly waiting: readonly {
    readonly kind: RecordKind;
    readonly lane: Lane | null;
    readonly since: number;
    readonly takenAt: number;
  }[];
  /** The limit that is reached. Undefined if there is room. */
  readonly full: 'records' | 'bytes' | undefined;
};

/**
 * Leaves out batches that WebEngage does not accept although it accepts others of their kind, and the records
 * behind them. A suspected batch still counts while no call of its kind has been accepted since it arrived: with
 * little traffic, an outage makes every batch suspect. Of the records that were never sent, only the oldest of
 * each lane is read, so a backlog of millions takes no longer.
 */
export function queueHealth(sql: SqlStorage, room: Room): QueueHealth {
  const takenAt = readTakenAt(sql);
  const retried = sql
    .exec<{ kind: RecordKind; since: number }>(
      `SELECT kind, MIN(at) AS since FROM (
         SELECT batch.kind AS kind, batch.suspicions AS suspicions,
           ${atOfRun("member.value ->> 'seq'")} AS at
         FROM batch, json_each(batch.members) AS member WHERE batch.attempts > 0 AND NOT batch.isolating
       ) WHERE suspicions = 0 OR at > CASE kind WHEN 'user' THEN ? ELSE ? END GROUP BY kind`,
      takenAt.user,
      takenAt.event,
    )
    .toArray();
  const passedOver = sealedDevices(sql);
  const unsealed = LANES.flatMap((lane) =>
    waitingRuns(sql, lane, { passedOver, limit: 1 }).map(({ kind, at }) => ({ lane, kind, since: at })),
  );
  const waits = [...retried.map((each) => ({ ...each, lane: null })), ...unsealed];
  return {
    waiting: waits.map((waiting) => ({ ...waiting, takenAt: takenAt[waiting.kind] })),
    full: fullOf(sql, room),
  };
}

/**
 * The kind whose records have waited longest without an accepted call, and since when. Undefined if no record
 * waits.
 */
export function longestStall({
  waiting,
}: QueueHealth): { readonly kind: RecordKind; readonly since: number } | undefined {
  return waiting
    .map(({ kind, since, takenAt }) => ({ kind, since: Math.max(since, takenAt) }))
    .sort((a, b) => a.since - b.since)[0];
}

function fullOf(sql: SqlStorage, room: Room): QueueHealth['full'] {
  if (hasRoom(sql, readTotals(sql), MAX_BATCH_RECORDS, room)) return undefined;
  return sql.databaseSize > room.bytes ? 'bytes' : 'records';
}

/** Reads no more rows for a backlog of millions than for one of ten. */
export function outboxStatus(
  sql: SqlStorage,
  room: Room,
  now: number,
): Omit<OutboxStatus, 'violations' | 'senders'> {
  const { totals, waiting: inLane } = readTally(sql);
  const lanes = LANES.map((lane) => ({
    lane,
    records: inLane[lane],
    oldestAgeMs: oldestAgeMs(sql, lane, now),
  }));
  const statuses = sql
    .exec<{ status: number; batches: number }>(
      'SELECT status, COUNT(*) AS batches FROM batch WHERE attempts > 0 GROUP BY status',
    )
    .toArray();
  return {
    records: waiting(totals),
    oldestAgeMs: Math.max(...lanes.map(({ oldestAgeMs }) => oldestAgeMs)),
    retrying: statuses.reduce((sum, { batches }) => sum + batches, 0),
    byStatus: Object.fromEntries(statuses.map(({ status, batches }) => [String(status), batches])),
    deadLetters: deadLetters(totals),
    databaseBytes: sql.databaseSize,
    full: !hasRoom(sql, totals, MAX_BATCH_RECORDS, room),
    totals,
    minutes: minutes(sql),
    lanes,
  };
}

function oldestAgeMs(sql: SqlStorage, lane: Lane, now: number): number {
  const [oldest] = waitingRuns(sql, lane, { limit: 1 });
  return oldest === undefined ? 0 : Math.max(0, now - oldest.at);
}
