import { expect, test } from 'vitest';
import { progressMeter } from '../../../src/import/send/progress.ts';

test('progress has the rate of the last half minute, its share of the allowance, and the time left', () => {
  const measure = progressMeter(100_000, { at: 0, accepted: 0, refused: 0 });

  expect(measure({ at: 10_000, accepted: 990, refused: 10 })).toMatchObject({
    rowsPerSecond: 100,
    secondsLeft: 990,
  });
  measure({ at: 20_000, accepted: 990, refused: 10 });
  measure({ at: 30_000, accepted: 2_990, refused: 10 });

  const { allowanceShare, ...progress } = measure({ at: 50_000, accepted: 4_980, refused: 20 });

  expect(progress).toEqual({
    rows: 100_000,
    accepted: 4_980,
    refused: 20,
    left: 95_000,
    rowsPerSecond: 133,
    secondsLeft: 713,
  });
  // 12,500 records a minute are the whole.
  expect(allowanceShare).toBeCloseTo((3_990 / 30) * (60 / 12_500));
});

test('rows of earlier runs are accepted, but say nothing about the rate', () => {
  const measure = progressMeter(10_000, { at: 0, accepted: 9_000, refused: 0 });

  expect(measure({ at: 1_000, accepted: 9_000, refused: 0 })).toEqual({
    rows: 10_000,
    accepted: 9_000,
    refused: 0,
    left: 1_000,
    rowsPerSecond: 0,
    allowanceShare: 0,
    secondsLeft: undefined,
  });
});

test('while the relay takes nothing, the rate falls to 0, however fast it took rows before', () => {
  const measure = progressMeter(1_000_000, { at: 0, accepted: 0, refused: 0 });

  expect(measure({ at: 1_000, accepted: 62_500, refused: 0 })).toMatchObject({ allowanceShare: 1 });

  expect(measure({ at: 31_000, accepted: 62_500, refused: 0 })).toMatchObject({
    left: 937_500,
    rowsPerSecond: 0,
    secondsLeft: undefined,
  });
});
