import { expect, test } from 'vitest';
import { batchBytes, takeWithinBytes } from '../../../src/tracker/delivery/batch-limits.ts';
import { storedEntry } from '../../fakes/records.ts';

const entries = (count: number) =>
  Array.from({ length: count }, (_, index) => storedEntry(index + 1));

test('a batch holds the oldest, in order, and none is left out that fits', () => {
  expect(takeWithinBytes(entries(60), 1_000_000)).toEqual(entries(60));
  expect(takeWithinBytes(entries(60), batchBytes(entries(40)))).toEqual(entries(40));
  expect(takeWithinBytes(entries(60), batchBytes(entries(40)) - 1)).toEqual(entries(39));
});

test('its body, with its envelope, weighs no more than it may', () => {
  for (let maxBytes = 0; maxBytes < 40_000; maxBytes += 500) {
    const batch = takeWithinBytes(entries(100), maxBytes);
    if (batch.length > 0) expect(batchBytes(batch)).toBeLessThanOrEqual(maxBytes);
  }
});

test('it has room for a token beside its records', () => {
  const [one] = entries(1);
  const record = new TextEncoder().encode(JSON.stringify(one)).length;

  expect(takeWithinBytes(entries(1), record + 3_000)).toEqual([]);
  expect(takeWithinBytes(entries(1), record + 5_000)).toHaveLength(1);
});

test('nothing fits into less than nothing', () => {
  expect(takeWithinBytes(entries(3), -5_000)).toEqual([]);
});
