import { expect, test } from 'vitest';
import { dueTimes, msPerRecordOf } from '../../../src/edge/limits/fair-queue.ts';

const NOW = 1_000_000;

test('a browser is due as soon as it sends, or from its assigned time', () => {
  const { dueFrom, put } = dueTimes();

  put(new Map([['a', NOW + 5_000]]), NOW);

  expect(dueFrom('a', NOW)).toBe(NOW + 5_000);
  expect(dueFrom('b', NOW)).toBe(0);
});

test('a shorter delay does not bring a browser forward', () => {
  const { dueFrom, put } = dueTimes();

  put(new Map([['a', NOW + 5_000]]), NOW);
  put(new Map([['a', NOW + 1_000]]), NOW);

  expect(dueFrom('a', NOW)).toBe(NOW + 5_000);
});

test('no browser is delayed by more than a minute, nor by a clock set back', () => {
  const { dueFrom, put } = dueTimes();

  put(new Map([['a', NOW + 3_600_000]]), NOW);

  expect(dueFrom('a', NOW)).toBe(NOW + 60_000);
  expect(dueFrom('a', NOW - 500_000)).toBe(NOW - 440_000);
  expect(dueFrom('a', NOW + 30_000)).toBe(NOW + 60_000);
});

test('the browsers sent longest ago are forgotten first', () => {
  const { dueFrom, put } = dueTimes(2);

  put(
    new Map([
      ['a', NOW + 1],
      ['b', NOW + 2],
    ]),
    NOW,
  );
  put(new Map([['a', NOW + 3]]), NOW);
  put(new Map([['c', NOW + 4]]), NOW);

  expect(['a', 'b', 'c'].map((device) => dueFrom(device, NOW))).toEqual([NOW + 3, 0, NOW + 4]);
});

test('with the whole allowance a browser may send two records a second without going behind others', () => {
  expect(msPerRecordOf(12_500)).toBe(480);
});
