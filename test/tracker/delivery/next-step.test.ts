import { describe, expect, test } from 'vitest';
import { nextStep } from '../../../src/tracker/delivery/next-step.ts';
import type { SendRate } from '../../../src/tracker/delivery/send-rate.ts';
import type { Sendable } from '../../../src/tracker/page/sendable.ts';
import type { StoredEntry } from '../../../src/tracker/record/call.ts';
import { fakePage } from '../../fakes/browser/page.ts';
import { fakeTime } from '../../fakes/platform.ts';
import { storedEntry } from '../../fakes/records.ts';

const NOW = 1_000_000_000_000;
const LIMITS = { batchSize: 25, maxWaitMs: 5_000, maxAgeMs: 604_800_000, burst: 5, requestsPerMinute: 60 };
const RATE: SendRate = { fullAt: NOW, failures: 0 };

/** Of a full allowance one request is taken. */
const SENDS = { rate: { fullAt: NOW + 1_000 }, asksTime: false };

const waiting = (count: number, at: number) =>
  Array.from({ length: count }, (_, index) => storedEntry(index + 1, { at }));

/** The step of a page at a moment in which nothing was asked for. */
function step(
  oldest: readonly StoredEntry[],
  rate = RATE,
  {
    now = NOW,
    dueAgeMs = Number.POSITIVE_INFINITY,
    isClockConfirmed = true,
    hasTokens = false,
  }: {
    readonly now?: number;
    readonly dueAgeMs?: number;
    readonly isClockConfirmed?: boolean;
    readonly hasTokens?: boolean;
  } = {},
) {
  const { page } = fakePage(LIMITS, { time: fakeTime(now) });
  page.isClockConfirmed = isClockConfirmed;
  if (hasTokens) page.tokens = {} as Sendable;
  return nextStep(page, [oldest, rate], dueAgeMs);
}

describe('a flush sends', () => {
  test('a full batch, however young', () => {
    expect(step(waiting(25, NOW))).toMatchObject(SENDS);
  });

  test('a record that has waited long enough', () => {
    expect(step(waiting(1, NOW - 5_000))).toMatchObject(SENDS);
    expect(step(waiting(1, NOW - 4_999))).toEqual({ forMs: 1 });
  });

  test('the records from before the flush was requested', () => {
    expect(step(waiting(1, NOW - 1), RATE, { dueAgeMs: 1 })).toMatchObject(SENDS);
  });

  test('a record from before the clock was set back a year', () => {
    expect(step(waiting(1, NOW + 365 * 86_400_000))).toMatchObject(SENDS);
  });

  test('nothing if no records are waiting', () => {
    expect(step([])).toEqual({});
  });
});

test('sending uses the allowance, and waits once it is used up', () => {
  const quarterLeft: SendRate = { ...RATE, fullAt: NOW + 4_750 };

  expect(step(waiting(25, NOW))).toEqual({ rate: { ...RATE, fullAt: NOW + 1_000 }, asksTime: false });
  expect(step(waiting(25, NOW), quarterLeft)).toEqual({ forMs: 750, reason: 'tokens', oldestAt: NOW });
});

test('a pause blocks everything until its end, or until the clock was set back before its start', () => {
  const paused: SendRate = {
    ...RATE,
    failures: 1,
    pause: { since: NOW, until: NOW + 60_000, reason: 'rate_limited' },
  };
  const due = waiting(25, NOW);

  expect(step(due, paused, { now: NOW + 1_000 })).toEqual({
    forMs: 59_000,
    reason: 'rate_limited',
    oldestAt: NOW,
  });
  expect(step(due, paused, { now: NOW + 60_000 })).toMatchObject({ rate: { failures: 1 } });
  expect(step(due, paused, { now: NOW - 86_400_000 })).toMatchObject({ rate: { failures: 1 } });
  // Begun by the clock of another tab, an hour ahead of this one's.
  expect(step(due, paused, { now: NOW - 3_600_000 })).toMatchObject({ rate: { failures: 1 } });
});

test('a pause for a missing token blocks no user with a token', () => {
  const paused: SendRate = { ...RATE, pause: { since: NOW, until: NOW + 60_000, reason: 'token_required' } };

  expect(step(waiting(25, NOW), paused)).toMatchObject({ reason: 'token_required', forMs: 60_000 });
  expect(step(waiting(25, NOW), paused, { hasTokens: true })).toMatchObject(SENDS);
});

test('a clock set back by an hour does not block a used-up allowance for an hour', () => {
  const usedUp: SendRate = { ...RATE, fullAt: NOW + 5_000 };

  expect(step(waiting(25, NOW), usedUp)).toMatchObject({ reason: 'tokens' });
  expect(step(waiting(25, NOW), usedUp, { now: NOW - 3_600_000 })).toMatchObject({
    rate: { fullAt: NOW - 3_600_000 + 1_000 },
  });
});

describe('records older than maxAge', () => {
  const entries = [...waiting(1, NOW - 604_800_001), storedEntry(2, { at: NOW - 604_800_000 })];

  test('are dropped, and only they are', () => {
    expect(step(entries)).toEqual({ expired: entries.slice(0, 1) });
  });

  test('are kept by an unconfirmed clock, and the relay is asked for the time', () => {
    const asked = step(entries, RATE, { isClockConfirmed: false });

    expect(asked).toEqual({ asksTime: true, rate: { ...RATE, fullAt: NOW + 1_000 } });
  });
});
