import { describe, expect, test } from 'vitest';
import { type FlushLimits, nextStep } from '../../../src/tracker/delivery/next-step.ts';
import type { Pace } from '../../../src/tracker/delivery/send-rate.ts';
import { eventRecord } from '../../fakes/records.ts';

const NOW = 1_000_000_000_000;
const LIMITS: FlushLimits = {
  batchSize: 25,
  maxWaitMs: 5_000,
  maxAgeMs: 604_800_000,
  burst: 5,
  requestsPerMinute: 60,
};
const PACE: Pace = { bucket: { tokens: 5, asOf: NOW }, failures: 0 };

const waiting = (count: number, at: number) =>
  Array.from({ length: count }, (_, index) => ({ key: index + 1, at, record: eventRecord(index + 1) }));

describe('what is due', () => {
  test('a full batch, however young', () => {
    expect(nextStep(waiting(25, NOW), PACE, LIMITS, 0, NOW)).toMatchObject({ step: 'send' });
  });

  test('a record that has waited long enough', () => {
    expect(nextStep(waiting(1, NOW - 5_000), PACE, LIMITS, 0, NOW)).toMatchObject({ step: 'send' });
    expect(nextStep(waiting(1, NOW - 4_999), PACE, LIMITS, 0, NOW)).toEqual({ step: 'rest', forMs: 1 });
  });

  test('what was there when the flush was asked for', () => {
    expect(nextStep(waiting(1, NOW - 1), PACE, LIMITS, NOW, NOW)).toMatchObject({ step: 'send' });
  });

  test('a record from before the clock was set back a year', () => {
    expect(nextStep(waiting(1, NOW + 365 * 86_400_000), PACE, LIMITS, 0, NOW)).toMatchObject({
      step: 'send',
    });
  });

  test('nothing, where nothing waits', () => {
    expect(nextStep([], PACE, LIMITS, NOW, NOW)).toEqual({ step: 'rest', forMs: undefined });
  });
});

test('sending takes one token; without one it waits for the next', () => {
  const empty: Pace = { ...PACE, bucket: { tokens: 0.25, asOf: NOW } };

  expect(nextStep(waiting(25, NOW), PACE, LIMITS, 0, NOW)).toMatchObject({ pace: { bucket: { tokens: 4 } } });
  expect(nextStep(waiting(25, NOW), empty, LIMITS, 0, NOW)).toEqual({
    step: 'wait',
    forMs: 750,
    reason: 'tokens',
    oldestAt: NOW,
  });
});

test('a pause holds everything until it is over, or the clock was set back before it began', () => {
  const paused: Pace = { ...PACE, failures: 1, pause: { since: NOW, forMs: 60_000, reason: 'rate_limited' } };
  const due = waiting(25, NOW);

  expect(nextStep(due, paused, LIMITS, 0, NOW + 1_000)).toEqual({
    step: 'wait',
    forMs: 59_000,
    reason: 'rate_limited',
    oldestAt: NOW,
  });
  expect(nextStep(due, paused, LIMITS, 0, NOW + 60_000)).toMatchObject({ step: 'send' });
  expect(nextStep(due, paused, LIMITS, 0, NOW - 86_400_000)).toMatchObject({ step: 'send' });
});

test('a clock set back by an hour does not keep an empty bucket empty for an hour', () => {
  const empty: Pace = { ...PACE, bucket: { tokens: 0, asOf: NOW } };

  expect(nextStep(waiting(25, NOW), empty, LIMITS, 0, NOW - 3_600_000)).toMatchObject({ step: 'send' });
});

test('records older than their age are dropped, and only they', () => {
  const records = [...waiting(1, NOW - 604_800_001), ...waiting(1, NOW - 604_800_000)];

  expect(nextStep(records, PACE, LIMITS, 0, NOW)).toEqual({ step: 'drop', records: records.slice(0, 1) });
});
