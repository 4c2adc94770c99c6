import { expect, test } from 'vitest';
import { keyedBuckets } from '../../../src/edge/limits/keyed-buckets.ts';

const NOW = 1_000_000;
const LIMIT = { burst: 10, requestsPerMinute: 60 };

test('each key has its own bucket', () => {
  const { msUntil, spend } = keyedBuckets(LIMIT);

  spend('a', 10, NOW);

  expect(msUntil('a', 1, NOW)).toBe(1_000);
  expect(msUntil('a', 5, NOW + 2_000)).toBe(3_000);
  expect(msUntil('a', 1, NOW + 1_000)).toBe(0);
  expect(msUntil('b', 10, NOW)).toBe(0);
});

test('a request may exceed what is left, up to the largest request, and pays that back first', () => {
  const { msUntil, spend } = keyedBuckets(LIMIT);

  spend('a', 25, NOW);
  expect(msUntil('a', 0, NOW)).toBe(15_000);

  spend('a', 1_000, NOW);
  expect(msUntil('a', 1, NOW)).toBe(401_000);
});

test('a request above the burst waits no longer than for the full burst', () => {
  const { msUntil, spend } = keyedBuckets(LIMIT);

  expect(msUntil('a', 400, NOW)).toBe(0);
  spend('a', 10, NOW);
  expect(msUntil('a', 400, NOW)).toBe(10_000);
});

test('the number of keys is bounded, and the least recently used are forgotten', () => {
  const { msUntil, spend } = keyedBuckets(LIMIT, 2);

  for (const key of ['a', 'b', 'a', 'c']) spend(key, 10, NOW);

  expect(['a', 'b', 'c'].map((key) => msUntil(key, 1, NOW))).toEqual([11_000, 0, 1_000]);
});
