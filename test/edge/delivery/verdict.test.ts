import { expect, test } from 'vitest';
import { type Verdict, verdictOf } from '../../../src/edge/delivery/verdict.ts';

const NOW = Date.parse('2026-11-23T15:45:12Z');

test.each<[Verdict['kind'], readonly number[]]>([
  ['taken', [200, 201, 202, 204, 299]],
  ['refused', [400, 413, 422]],
  ['misconfigured', [301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 406, 409, 410, 415, 418, 431, 451]],
  ['unknown', [0, 408, 425, 500, 501, 502, 503, 504, 520, 524, 529, 599]],
  ['paused', [429]],
])('%s', (kind, statuses) => {
  for (const status of statuses) expect(verdictOf(status, null, NOW).kind, String(status)).toBe(kind);
});

test.each<[string | null, number]>([
  ['7', 7_000],
  ['Mon, 23 Nov 2026 15:45:42 GMT', 30_000],
  // None: to the next minute.
  [null, 48_000],
  ['soon', 48_000],
  ['-5', 48_000],
  // Neither no pause at all nor one of years.
  ['0', 1_000],
  ['Mon, 23 Nov 2020 15:45:42 GMT', 1_000],
  ['99999999999', 3_600_000],
])('a 429 with Retry-After %s pauses for %d ms', (retryAfter, forMs) => {
  expect(verdictOf(429, retryAfter, NOW)).toEqual({ kind: 'paused', forMs });
});
