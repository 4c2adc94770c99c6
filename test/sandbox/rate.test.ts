import { expect, test } from 'vitest';
import { minuteBegan } from '../../src/sandbox/rate.ts';

test('a sliding minute counts arrivals of the last 60 seconds', () => {
  expect(minuteBegan('sliding', 90_000)).toBe(30_000);
});

test('a fixed minute counts from the full minute, and starts again at the next', () => {
  const counts = (at: number, now: number) => at > minuteBegan('fixed', now);

  expect(counts(60_000, 119_999)).toBe(true);
  expect(counts(59_999, 60_000)).toBe(false);
  expect(counts(119_999, 120_000)).toBe(false);
  expect(counts(120_000, 120_000)).toBe(true);
});
