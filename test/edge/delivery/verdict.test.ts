import { expect, test } from 'vitest';
import { type Verdict, verdictOf } from '../../../src/edge/delivery/verdict.ts';

const NOW = Date.parse('2026-11-23T15:45:12Z');

test.each<[Verdict['kind'], readonly number[]]>([
  ['taken', [200, 201, 202, 299]],
  ['refused', [400, 422]],
  ['too_large', [413]],
  ['misconfigured', [301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 406, 409, 410, 415, 418, 431, 451]],
  ['unknown', [0, 207, 408, 425, 500, 501, 502, 503, 504, 520, 524, 529, 599]],
  ['paused', [429]],
])('%s', (kind, statuses) => {
  for (const status of statuses)
    expect(verdictOf({ status, retryAfter: null, says: 'queued' }, NOW).kind, String(status)).toBe(kind);
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
  expect(verdictOf({ status: 429, retryAfter, says: undefined }, NOW)).toEqual({ kind: 'paused', forMs });
});

test.each<[string | undefined, Verdict['kind']]>([
  ['queued', 'taken'],
  ['accepted', 'taken'],
  ['', 'taken'],
  ['error', 'unknown'],
  ['ERROR', 'unknown'],
  // A maintenance page, or a body that breaks off.
  [undefined, 'unknown'],
])('a 200 whose status is %j counts as %s', (says, kind) => {
  for (const status of [200, 201]) expect(verdictOf({ status, retryAfter: null, says }, NOW).kind).toBe(kind);
});
