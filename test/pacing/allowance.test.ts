import { expect, test } from 'vitest';
import { takeToken } from '../../src/pacing/allowance.ts';

const LIMIT = { burst: 3, requestsPerMinute: 60 };
const START = 1_000_000;

/** Takes at each of these moments; answers which had a token. */
function takeAt(moments: readonly number[], fullAt = 0): readonly boolean[] {
  let kept = fullAt;
  return moments.map((at) => {
    const taken = takeToken(kept, LIMIT, START + at);
    if (taken.inMs > 0) return false;
    kept = taken.fullAt;
    return true;
  });
}

test('a burst may leave at once, and then one a second', () => {
  expect(takeAt([0, 0, 0, 0, 999, 1_000, 1_000, 2_000])).toEqual([
    true,
    true,
    true,
    false,
    false,
    true,
    false,
    true,
  ]);
});

test('after a rest there is no more than a burst', () => {
  expect(takeAt([0, 0, 0, 3_600_000, 3_600_000, 3_600_000, 3_600_000])).toEqual([
    true,
    true,
    true,
    true,
    true,
    true,
    false,
  ]);
});

test('it is known how long until there is a token', () => {
  expect(takeToken(START + 3_000, LIMIT, START).inMs).toBe(1_000);
  expect(takeToken(START + 2_400, LIMIT, START).inMs).toBe(400);
});

test('a bucket from before a clock was set back is full', () => {
  expect(takeAt([0, 0, 0, 0], START + 1e12)).toEqual([true, true, true, false]);
});
