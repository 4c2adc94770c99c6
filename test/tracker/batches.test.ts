import { expect, test } from 'vitest';
import { batchBytes, batchesWithin } from '../../src/tracker/batches.ts';
import { eventRecord } from '../fakes/records.ts';

const entries = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ at: index, record: eventRecord(index + 1) }));

test('records are cut in order, 25 a batch, and none is left out that fits', () => {
  const batches = batchesWithin(entries(60), 1_000_000);

  expect(batches.map((batch) => batch.length)).toEqual([25, 25, 10]);
  expect(batches.flat()).toEqual(entries(60));
});

test('all batches together, each with its envelope, weigh no more than they may', () => {
  for (let maxBytes = 0; maxBytes < 40_000; maxBytes += 500) {
    const batches = batchesWithin(entries(100), maxBytes);
    const bytes = batches.reduce((all, batch) => all + batchBytes(batch), 0);
    expect(bytes).toBeLessThanOrEqual(maxBytes);
  }
});

test('every batch has room for a token beside its records', () => {
  const [one] = entries(1);
  const record = new TextEncoder().encode(JSON.stringify(one?.record)).length;

  expect(batchesWithin(entries(1), record + 3_000)).toEqual([]);
  expect(batchesWithin(entries(1), record + 5_000)).toHaveLength(1);
});

test('nothing fits into less than nothing', () => {
  expect(batchesWithin(entries(3), -5_000)).toEqual([]);
});
