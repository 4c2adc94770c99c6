import { expect, test } from 'vitest';
import { retryAfterMs } from '../../src/pacing/retry-after.ts';

const NOW = Date.parse('2026-11-23T15:45:00Z');

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Mon, 23 Nov 2026 15:46:00 GMT', 60_000],
  ['Monday, 23-Nov-26 15:46:00 GMT', 60_000],
  ['Mon Nov 23 15:46:00 2026 GMT', 60_000],
  ['Mon, 23 Nov 2020 15:46:00 GMT', 0],
])('%j is respected', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});

test.each([[null], [''], ['-5'], ['1.5'], ['soon'], ['3 days'], ['NaN'], ['Mon, never'], ['0x10']])(
  '%j is ignored',
  (header) => {
    expect(retryAfterMs(header, NOW)).toBeUndefined();
  },
);
