import { expect, test } from 'vitest';
import { knocks } from '../../../src/edge/telemetry/knocks.ts';

test('every wrong token is counted, and told once a minute at most', () => {
  const knock = knocks();

  expect([0, 1, 59_999].map(knock)).toEqual([1, undefined, undefined]);
  expect([60_000, 60_001].map(knock)).toEqual([3, undefined]);
  expect(knock(200_000)).toBe(2);
});
