import { MINUTE_MS } from '../../pacing/minute.ts';
import { minutes, readTotals } from '../queue/counters/tally.ts';
import { deadLetters, NOTHING, waiting } from '../queue/counters/totals.ts';
import type { Cost, Estimate } from './report.ts';

/** The figures that a restore compares. They contain no record. */
export type Figures = {
  readonly entered: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly deadLetters: number;
  /** The waiting records that are in sealed batches. */
  readonly sealed: number;
};

export function readFigures(sql: SqlStorage): Figures {
  const totals = readTotals(sql);
  const { sealed } = sql
    .exec<{ sealed: number }>(
      `SELECT COALESCE(SUM((member.value ->> 'to') - (member.value ->> 'from')), 0) AS sealed
       FROM batch, json_each(batch.members) AS member`,
    )
    .one();
  const { entered, delivered } = totals;
  return { entered, delivered, waiting: waiting(totals), deadLetters: deadLetters(totals), sealed };
}

// The platform restores to approximately the moment that was asked for.
const APPROXIMATELY_MS = MINUTE_MS;

/**
 * The maximum cost of a restore to a moment. Counts never fall, so those of an earlier minute give an upper
 * limit. Minutes are kept for an hour: for older moments the limits are far above the real cost.
 */
export function estimate(sql: SqlStorage, at: number, restoredAt: number | undefined): Estimate {
  const now = readFigures(sql);
  if (!isUnbroken(at, restoredAt)) return { lostAtMost: held(now), sentTwiceAtMost: null };
  const atLeast = minutes(sql).findLast((minute) => minute.at + MINUTE_MS + APPROXIMATELY_MS <= at);
  const { entered, delivered } = atLeast?.totals ?? NOTHING;
  return {
    lostAtMost: Math.min(now.entered - entered, held(now)),
    sentTwiceAtMost: now.delivered - delivered,
  };
}

/** The maximum cost of a restore, from the figures before and after it. */
export function costOf(before: Figures, after: Figures, isOneHistory: boolean): Cost {
  const forgotten = isOneHistory ? before.entered - after.entered : null;
  const sentSince = isOneHistory ? before.delivered - after.delivered : held(after);
  const sentTwiceAtMost = Math.min(sentSince, held(after));
  return {
    lostAtMost: Math.min(forgotten ?? held(before), held(before)),
    sentTwiceAtMost,
    underSameIdAtMost: Math.min(sentTwiceAtMost, after.sealed),
    forgotten,
  };
}

/** True if the outbox was not restored since a moment: its counts then go on from those of the moment. */
export function isUnbroken(at: number, restoredAt: number | undefined): boolean {
  return restoredAt === undefined || restoredAt < at;
}

function held({ waiting, deadLetters }: Figures): number {
  return waiting + deadLetters;
}
