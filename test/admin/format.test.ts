import { expect, test } from 'vitest';
import { bytes, clock, count, counted, duration, growth, shortCount } from '../../src/admin/format.ts';

test.each([
  [0, 'under 1 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [161_000, '2 min 41 s'],
  [3_600_000, '1 h'],
  [5_430_000, '1 h 30 min'],
  [183_600_000, '2 d 3 h'],
])('%d ms is written %s', (ms, words) => {
  expect(duration(ms)).toBe(words);
});

test.each([
  [-420, '−420'],
  [0, '±0'],
  [-0.4, '±0'],
  [12_500.2, '+12,500'],
])('a growth of %d is written %s', (perMinute, words) => {
  expect(growth(perMinute)).toBe(words);
});

test.each([
  [81_920, '80 KiB'],
  [10_276_045, '9.8 MiB'],
  [9_663_676_416, '9.0 GiB'],
])('%d bytes is written %s', (amount, words) => {
  expect(bytes(amount)).toBe(words);
});

test('amounts are grouped, and shortened if there is no room', () => {
  expect(count(18_000_000)).toBe('18,000,000');
  expect(shortCount(18_000_000)).toBe('18M');
  expect(counted(1, 'batch', 'batches')).toBe('1 batch');
  expect(counted(2, 'batch', 'batches')).toBe('2 batches');
});

test('a time on another day includes its date', () => {
  const noon = new Date(2026, 10, 24, 12).getTime();
  const dayBefore = new Date(2026, 10, 23, 11, 5).getTime();

  expect(clock(noon, noon)).toBe('12:00:00');
  expect(clock(dayBefore, noon)).toBe('23 Nov, 11:05:00');
});
