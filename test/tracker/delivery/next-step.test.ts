import { describe, expect, test } from 'vitest';
import { type FlushLimits, type Moment, nextStep } from '../../../src/tracker/delivery/next-step.ts';
import type { SendRate } from '../../../src/tracker/delivery/send-rate.ts';
import { storedEntry } from '../../fakes/records.ts';

const NOW = 1_000_000_000_000;
const LIMITS: FlushLimits = {
  batchSize: 25,
  maxWaitMs: 5_000,
  maxAgeMs: 604_800_000,
  burst: 5,
  requestsPerMinute: 60,
};
const RATE: SendRate = { bucket: { tokens: 5, asOf: NOW }, failures: 0 };

const waiting = (count: number, at: number) =>
  Array.from({ length: count }, (_, index) => storedEntry(index + 1, { at }));

/** The moment in which nothing was asked for. */
const moment = (more: Partial<Moment> = {}): Moment => ({
  now: NOW,
  ageOf: ({ at }) => (more.now ?? NOW) - at,
  isClockConfirmed: true,
  dueAgeMs: Number.POSITIVE_INFINITY,
  hasTokens: false,
  ...more,
});

describe('what is due', () => {
  test('a full batch, however young', () => {
    expect(nextStep(waiting(25, NOW), RATE, LIMITS, moment())).toMatchObject({ step: 'send', asksTime: false });
  });

  test('a record that has waited long enough', () => {
    expect(nextStep(waiting(1, NOW - 5_000), RATE, LIMITS, moment())).toMatchObject({ step: 'send' });
    expect(nextStep(waiting(1, NOW - 4_999), RATE, LIMITS, moment())).toEqual({ step: 'rest', forMs: 1 });
  });

  test('what was there when the flush was asked for', () => {
    expect(nextStep(waiting(1, NOW - 1), RATE, LIMITS, moment({ dueAgeMs: 1 }))).toMatchObject({ step: 'send' });
  });

  test('a record from before the clock was set back a year', () => {
    expect(nextStep(waiting(1, NOW + 365 * 86_400_000), RATE, LIMITS, moment())).toMatchObject({ step: 'send' });
  });

  test('nothing, where nothing waits', () => {
    expect(nextStep([], RATE, LIMITS, moment())).toEqual({ step: 'rest' });
  });
});

test('sending takes one token; without one it waits for the next', () => {
  const empty: SendRate = { ...RATE, bucket: { tokens: 0.25, asOf: NOW } };

  expect(nextStep(waiting(25, NOW), RATE, LIMITS, moment())).toMatchObject({ rate: { bucket: { tokens: 4 } } });
  expect(nextStep(waiting(25, NOW), empty, LIMITS, moment())).toEqual({
    step: 'wait',
    forMs: 750,
    reason: 'tokens',
    oldestAgeMs: 0,
  });
});

test('a pause holds everything until it is over, or the clock was set back before it began', () => {
  const paused: SendRate = { ...RATE, failures: 1, pause: { since: NOW, forMs: 60_000, reason: 'rate_limited' } };
  const due = waiting(25, NOW);

  expect(nextStep(due, paused, LIMITS, moment({ now: NOW + 1_000 }))).toEqual({
    step: 'wait',
    forMs: 59_000,
    reason: 'rate_limited',
    oldestAgeMs: 1_000,
  });
  expect(nextStep(due, paused, LIMITS, moment({ now: NOW + 60_000 }))).toMatchObject({ step: 'send' });
  expect(nextStep(due, paused, LIMITS, moment({ now: NOW - 86_400_000 }))).toMatchObject({ step: 'send' });
});

test('a pause for want of a token holds nobody who has tokens', () => {
  const paused: SendRate = { ...RATE, pause: { since: NOW, forMs: 60_000, reason: 'token_required' } };

  expect(nextStep(waiting(25, NOW), paused, LIMITS, moment())).toMatchObject({ step: 'wait' });
  expect(nextStep(waiting(25, NOW), paused, LIMITS, moment({ hasTokens: true }))).toMatchObject({ step: 'send' });
});

test('a clock set back by an hour does not keep an empty bucket empty for an hour', () => {
  const empty: SendRate = { ...RATE, bucket: { tokens: 0, asOf: NOW } };

  expect(nextStep(waiting(25, NOW), empty, LIMITS, moment({ now: NOW - 3_600_000 }))).toMatchObject({
    step: 'send',
  });
});

describe('records older than their age', () => {
  const entries = [...waiting(1, NOW - 604_800_001), storedEntry(2, { at: NOW - 604_800_000 })];

  test('are dropped, and only they', () => {
    expect(nextStep(entries, RATE, LIMITS, moment())).toEqual({ step: 'drop', entries: entries.slice(0, 1) });
  });

  test('by a clock that is not confirmed are not: the relay is asked for the time', () => {
    const step = nextStep(entries, RATE, LIMITS, moment({ isClockConfirmed: false }));

    expect(step).toMatchObject({ step: 'send', asksTime: true, rate: { bucket: { tokens: 4 } } });
  });
});
