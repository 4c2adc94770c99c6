import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AllowanceLimit, takeToken } from '../../src/pacing/allowance.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const YEAR_MS = 365 * 24 * 3_600_000;
const LIMIT: AllowanceLimit = { burst: 5, requestsPerMinute: 60 };

/** An allowance that is used: answers with how long to wait, 0 where a token was taken. */
function allowance(limit: AllowanceLimit, fullAt = 0) {
  let kept = fullAt;
  return (now: number): number => {
    const taken = takeToken(kept, limit, now);
    if (taken.inMs > 0) return taken.inMs;
    kept = taken.fullAt;
    return 0;
  };
}

/** The same as a plain token bucket that counts what it holds, in parts of which a token has 60,000. */
function plainBucket({ burst, requestsPerMinute }: AllowanceLimit) {
  const capacity = burst * 60_000;
  let held = capacity;
  let asOf = 0;
  return (now: number): number => {
    held = Math.min(capacity, held + (now - asOf) * requestsPerMinute);
    asOf = now;
    if (held < 60_000) return Math.ceil((60_000 - held) / requestsPerMinute);
    held -= 60_000;
    return 0;
  };
}

const times = (count: number, take: (now: number) => number, now: number) =>
  Array.from({ length: count }, () => take(now));

test('a full bucket grants its capacity, and then one token a second', () => {
  const take = allowance(LIMIT);

  expect(times(6, take, NOW)).toEqual([0, 0, 0, 0, 0, 1_000]);
  expect(take(NOW + 999)).toBe(1);
  expect(times(2, take, NOW + 1_000)).toEqual([0, 1_000]);
});

test('it never holds more than its capacity', () => {
  const take = allowance(LIMIT);
  take(NOW);

  expect(times(6, take, NOW + 3_600_000)).toEqual([0, 0, 0, 0, 0, 1_000]);
});

describe('a clock set back', () => {
  test.each([3_600_000, YEAR_MS])('by %i ms since the bucket was emptied leaves it full', (ms) => {
    const take = allowance(LIMIT, NOW + 5_000);

    expect(take(NOW)).toBe(1_000);
    expect(times(6, take, NOW - ms)).toEqual([0, 0, 0, 0, 0, 1_000]);
  });

  test('by less than the bucket held costs exactly the tokens it would have gained', () => {
    const take = allowance(LIMIT, NOW + 2_000);

    expect(times(3, take, NOW - 1_000)).toEqual([0, 0, 1_000]);
  });
});

// Whose tokens are whole milliseconds apart: both then count without rounding.
const limits = fc.record({
  burst: fc.integer({ min: 1, max: 100 }),
  requestsPerMinute: fc.constantFrom(1, 2, 6, 30, 60, 96, 100, 375, 500),
});

test('after any pauses it grants and delays like a plain token bucket', () => {
  const pauses = fc.array(fc.oneof(fc.constant(0), fc.nat(3_000), fc.nat(300_000)), { maxLength: 300 });
  fc.assert(
    fc.property(limits, pauses, (limit, pauses) => {
      const take = allowance(limit);
      const takePlain = plainBucket(limit);
      let now = NOW;
      for (const pause of pauses) {
        now += pause;
        expect(take(now)).toBe(takePlain(now));
      }
    }),
  );
});

test('with any stored state nobody waits longer than for one token', () => {
  fc.assert(
    fc.property(limits, fc.integer({ min: -YEAR_MS, max: YEAR_MS }), (limit, ms) => {
      expect(takeToken(NOW + ms, limit, NOW).inMs).toBeLessThanOrEqual(60_000 / limit.requestsPerMinute);
    }),
  );
});
