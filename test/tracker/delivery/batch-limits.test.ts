import { expect, test } from 'vitest';
import { fitting } from '../../../src/tracker/delivery/batch-limits.ts';
import { storedEntry } from '../../fakes/records.ts';

const entries = (count: number) => Array.from({ length: count }, (_, index) => storedEntry(index + 1));

test('a batch contains the oldest records, in order, and every one that fits', () => {
  const [all, left] = fitting(entries(60), 1_000_000);
  expect(all).toEqual(entries(60));
  const bytes = 1_000_000 - fitting(entries(40), 1_000_000)[1];

  expect(left).toBeGreaterThan(0);
  expect(fitting(entries(60), bytes)).toEqual([entries(40), 0]);
  expect(fitting(entries(60), bytes - 1)[0]).toEqual(entries(39));
});

test('it has room for a token beside its records', () => {
  const [one] = entries(1);
  const record = new TextEncoder().encode(JSON.stringify(one)).length;

  expect(fitting(entries(1), record + 3_000)[0]).toEqual([]);
  expect(fitting(entries(1), record + 5_000)[0]).toHaveLength(1);
});

test('nothing fits into a negative size', () => {
  expect(fitting(entries(3), -5_000)[0]).toEqual([]);
});
