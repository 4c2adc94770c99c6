import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../../src/pacing/backoff.ts';

const LIMITS = { baseMs: 1_000, capMs: 60_000 };

test('the bound doubles up to its cap, and jitter subtracts at most half of it', () => {
  expect([1, 2, 3, 7, 500].map((failures) => backoffMs(failures, LIMITS, 0))).toEqual([
    500, 1_000, 2_000, 30_000, 30_000,
  ]);
  expect(backoffMs(1, LIMITS, 0.999)).toBeCloseTo(1_000, -1);
});

test('no wait is longer than the cap or shorter than half the first bound', () => {
  const failures = fc.integer({ min: 1, max: 10_000 });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  fc.assert(
    fc.property(failures, random, (n, chance) => {
      const wait = backoffMs(n, LIMITS, chance);

      expect(wait).toBeGreaterThanOrEqual(500);
      expect(wait).toBeLessThanOrEqual(60_000);
    }),
  );
});
