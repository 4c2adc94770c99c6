import { expect, test } from 'vitest';
import { progressMeter } from '../../../src/import/send/progress.ts';

test('progress has the rate of the last half minute, its share of the allowance, and the time left', () => {
  const measure = progressMeter(100_000, { at: 0, rows: 0, sent: 0 });

  expect(measure({ at: 10_000, rows: 1_000, sent: 1_000 })).toMatchObject({
    rowsPerSecond: 100,
    secondsLeft: 990,
  });
  measure({ at: 20_000, rows: 1_000, sent: 1_000 });
  measure({ at: 30_000, rows: 3_000, sent: 3_000 });

  const { allowanceShare, ...progress } = measure({ at: 50_000, rows: 5_000, sent: 5_000 });

  expect(progress).toEqual({ rows: 5_000, of: 100_000, rowsPerSecond: 133, secondsLeft: 713 });
  // 12,500 records a minute are the whole.
  expect(allowanceShare).toBeCloseTo((4_000 / 30) * (60 / 12_500));
});

test('rows of earlier runs are done, but say nothing about the rate', () => {
  const measure = progressMeter(10_000, { at: 0, rows: 9_000, sent: 9_000 });

  expect(measure({ at: 1_000, rows: 9_000, sent: 9_000 })).toEqual({
    rows: 9_000,
    of: 10_000,
    rowsPerSecond: 0,
    allowanceShare: 0,
    secondsLeft: undefined,
  });
});

test('the share is at most the whole, although a relay first takes rows faster than it sends them', () => {
  const measure = progressMeter(1_000_000, { at: 0, rows: 0, sent: 0 });

  expect(measure({ at: 1_000, rows: 20_000, sent: 20_000 }).allowanceShare).toBe(1);
});
