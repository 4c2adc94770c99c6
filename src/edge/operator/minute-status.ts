import { MINUTE_MS } from '../../pacing/minute.ts';
import { difference, NOTHING, sum, type Totals, waiting } from '../queue/counters/totals.ts';
import type { OutboxStatus } from '../queue/status.ts';

/** Totals of one minute over all outboxes. */
export type MinuteStatus = {
  readonly at: number;
  readonly accepted: number;
  readonly calls: number;
  readonly delivered: number;
  readonly deadLetters: number;
  /** Accepted records that name a user without an identity token. */
  readonly unverified: number;
  /** Calls that WebEngage did not accept, for any reason. */
  readonly failed: number;
};

const HOUR_MINUTES = 60;

// Long enough that a pause of a few seconds does not look like a trend.
const TREND_MINUTES = 5;

export function minuteStatus(at: number, happened: Totals): MinuteStatus {
  const calls = callsIn(happened);
  return {
    at,
    accepted: happened.entered - happened.replayed,
    unverified: happened.unverified,
    calls,
    delivered: happened.delivered,
    deadLetters: happened.dead_letter,
    failed: calls - happened.taken,
  };
}

/** How many calls to WebEngage were counted, whatever their outcome. */
export const callsIn = ({ taken, refused, paused, misconfigured, unknown, too_large }: Totals): number =>
  taken + refused + paused + misconfigured + unknown + too_large;

/** The totals of each minute in the last hour, oldest first. Minutes without activity are left out. */
export function lastHour(statuses: readonly OutboxStatus[], now: number): ReadonlyMap<number, Totals> {
  const running = now - (now % MINUTE_MS);
  const from = running - (HOUR_MINUTES - 1) * MINUTE_MS;
  const happened = new Map<number, Totals>();
  for (const { minutes, totals } of statuses) {
    // Activity since the last stored row belongs to the current minute.
    const marks = [...minutes, { at: Math.max(running, minutes.at(-1)?.at ?? 0), totals }];
    let before = NOTHING;
    for (const mark of marks) {
      const known = happened.get(mark.at) ?? NOTHING;
      happened.set(mark.at, sum(known, difference(mark.totals, before)));
      before = mark.totals;
    }
  }
  return new Map(
    [...happened]
      .filter(([at, totals]) => at >= from && Object.values(totals).some((value) => value !== 0))
      .sort(([a], [b]) => a - b),
  );
}

/** By how many records the backlog has grown a minute, averaged over the last minutes. Negative if it shrinks. */
export function growthPerMinute(perMinute: ReadonlyMap<number, Totals>, now: number): number {
  const from = now - (now % MINUTE_MS) - (TREND_MINUTES - 1) * MINUTE_MS;
  const minutes = [...perMinute].filter(([at]) => at >= from);
  const [first] = minutes[0] ?? [now];
  const elapsed = Math.max(1, (now - first) / MINUTE_MS);
  const grown = minutes.reduce((all, [, happened]) => all + waiting(happened), 0);
  return Math.round(grown / elapsed);
}

/** How long a backlog takes to drain at this growth. 0 if it is empty, null if it does not shrink. */
export function drainMs(records: number, growth: number): number | null {
  if (records <= 0) return 0;
  return growth < 0 ? Math.round((records / -growth) * MINUTE_MS) : null;
}
