import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, limitWithin, type SlidingLimitState, usedShare } from '../../src/pacing/sliding-limit.ts';

const MINUTE = 60_000;
const AHEAD_MS = 250;

/** The most of these moments that lie within any 60 seconds. */
function busiestMinute(starts: readonly number[]): number {
  const sorted = [...starts].sort((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [index, start] of sorted.entries()) {
    while (start - (sorted[first] ?? 0) >= MINUTE) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

/** Asks at these distances, and answers with when the granted calls start. */
function startsFor(allowance: number, pauses: readonly number[], from = 0): number[] {
  const limit = limitWithin(allowance);
  let state: SlidingLimitState = { nextDueAt: 0 };
  let now = from;
  return pauses.flatMap((pause) => {
    now += pause;
    const admission = admit(state, limit, now, AHEAD_MS);
    if (!admission.granted) return [];
    state = admission.state;
    return [now + admission.startInMs];
  });
}

const pauses = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 3_000 }),
  fc.array(fc.constantFrom(0, 0, 0, 1, 30_000, 59_999, 60_000, 60_001), { maxLength: 3_000 }),
);
const allowances = fc.integer({ min: 2, max: 500 });

describe('any 60 seconds', () => {
  test('contain no more starts than the allowance, whenever they are requested', () => {
    fc.assert(
      fc.property(allowances, pauses, (allowance, asked) => {
        expect(busiestMinute(startsFor(allowance, asked))).toBeLessThanOrEqual(allowance);
      }),
    );
  });

  test('contain no more even if each start arrives up to a second late', () => {
    const delays = fc.infiniteStream(fc.integer({ min: 0, max: 1_000 }));

    fc.assert(
      fc.property(pauses, delays, (asked, late) => {
        const arrivals = startsFor(500, asked).map((start) => start + (late.next().value ?? 0));

        expect(busiestMinute(arrivals)).toBeLessThanOrEqual(500);
      }),
    );
  });

  test('contain no more after a clock was set back and stored', () => {
    const limit = limitWithin(500);
    const hourAhead = { nextDueAt: 3_600_000 };

    const admission = admit(hourAhead, limit, 0, AHEAD_MS);

    expect(admission).toMatchObject({ granted: false });
    expect(admit(hourAhead, limit, 3_600_000, AHEAD_MS)).toMatchObject({ granted: true });
  });
});

test('a backlog uses at least 96 % of the account’s 500 in any minute', () => {
  const starts = startsFor(500, Array(60_000).fill(10));

  for (let from = 0; from < 9 * MINUTE; from += 1_000) {
    const inMinute = starts.filter((at) => at >= from && at < from + MINUTE).length;
    expect(inMinute).toBeGreaterThanOrEqual(500 * 0.96);
  }
});

describe('the used share of an allowance', () => {
  const RULE = /avg_over_time\(webengage_relay_allowance_used_ratio\[15m\]\) > ([\d.]+)/;
  const alertAbove = Number(RULE.exec(readFileSync('ops/prometheus/rules.yml', 'utf8'))?.[1]);
  const everyAllowance = Array.from({ length: 499 }, (_, index) => index + 2);

  /** The mean over a quarter of an hour, of a scrape every 15 seconds, if a call becomes due so often. */
  function meanShare(allowance: number, everyMs: number): number {
    const limit = limitWithin(allowance);
    const end = 16 * MINUTE;
    const starts: number[] = [];
    let state: SlidingLimitState = { nextDueAt: 0 };
    for (let now = 0; now < end; ) {
      const admission = admit(state, limit, now, AHEAD_MS);
      if (!admission.granted) {
        now += admission.retryInMs;
        continue;
      }
      state = admission.state;
      starts.push(now + admission.startInMs);
      now = Math.max(now + admission.startInMs, starts.length * everyMs);
    }
    const shares = Array.from({ length: 60 }, (_, index) => {
      const at = MINUTE + index * 15_000;
      return usedShare(starts.filter((start) => start > at - MINUTE && start <= at).length, allowance);
    });
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }

  test('sets off the alert if there is more to do than may start, however small the allowance', () => {
    const silent = everyAllowance.filter((allowance) => !(meanShare(allowance, 0) > alertAbove));

    expect(silent).toEqual([]);
  });

  test('sets off none while a fifth of what may start is free', () => {
    const spacingMs = (allowance: number) => limitWithin(allowance).spacingMs / 0.8;
    const loud = everyAllowance.filter(
      (allowance) => meanShare(allowance, spacingMs(allowance)) > alertAbove,
    );

    expect(loud).toEqual([]);
  });

  test('is from 0 to 1, also if the allowance has just become smaller', () => {
    expect([usedShare(0, 500), usedShare(250, 10)]).toEqual([0, 1]);
  });
});

test('a start is granted no further ahead than requested, and a refusal says when to ask again', () => {
  fc.assert(
    fc.property(allowances, pauses, (allowance, asked) => {
      const limit = limitWithin(allowance);
      let state: SlidingLimitState = { nextDueAt: 0 };
      let now = 0;
      for (const pause of asked) {
        now += pause;
        const admission = admit(state, limit, now, AHEAD_MS);
        if (admission.granted) {
          state = admission.state;
          expect(admission.startInMs).toBeLessThanOrEqual(AHEAD_MS);
        } else {
          expect(admit(state, limit, now + admission.retryInMs, AHEAD_MS).granted).toBe(true);
        }
      }
    }),
  );
});
