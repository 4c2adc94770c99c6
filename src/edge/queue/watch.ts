import { MINUTE_MS } from '../../pacing/minute.ts';
import { minutes, readTotals } from './counters/tally.ts';
import { deadLetters, difference, NOTHING, type Totals, waiting } from './counters/totals.ts';
import type { Room } from './room.ts';
import { longestStall, queueHealth } from './status.ts';

/** Dead letters and calls of unknown outcome are counted over this many minutes, the current one included. */
const RECENT_MINUTES = 5;

/** The figures of one outbox for the alerts. They contain no records and no ids. */
export type QueueWatch = {
  /**
   * When the oldest waiting record arrived, apart from records that are at fault themselves. Null if no record
   * waits. Imports that were never sent don't count: they wait on purpose while other lanes have records.
   */
  readonly oldestAt: number | null;
  /** Since when records have waited without an accepted call of their kind. Null if no record waits. */
  readonly stalledSince: number | null;
  /** The part of the room that is used, from 0 to 1. */
  readonly used: number;
  /** There is no room for another whole batch. */
  readonly full: boolean;
  /** Dead letters of the last five minutes, without those that were requeued. */
  readonly deadLetters: number;
  /** Calls of the last five minutes whose outcome is unknown. */
  readonly unknown: number;
};

export function queueWatch(sql: SqlStorage, room: Room, now: number): QueueWatch {
  const health = queueHealth(sql, room);
  const totals = readTotals(sql);
  const { dead_letter, requeued, unknown } = recent(sql, totals, now);
  const sinces = health.waiting.filter(({ lane }) => lane !== 'import').map(({ since }) => since);
  return {
    oldestAt: sinces.length === 0 ? null : Math.min(...sinces),
    stalledSince: longestStall(health)?.since ?? null,
    used: Math.max((waiting(totals) + deadLetters(totals)) / room.records, sql.databaseSize / room.bytes),
    full: health.full !== undefined,
    deadLetters: Math.max(0, dead_letter - requeued),
    unknown,
  };
}

/** The counts of the last minutes. They don't depend on an earlier call, so a missed one loses nothing. */
function recent(sql: SqlStorage, totals: Totals, now: number): Totals {
  const from = now - (now % MINUTE_MS) - (RECENT_MINUTES - 1) * MINUTE_MS;
  const before = minutes(sql).findLast(({ at }) => at < from);
  return difference(totals, before?.totals ?? NOTHING);
}
