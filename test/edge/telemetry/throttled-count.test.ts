import { expect, test } from 'vitest';
import { type Counts, throttledCount } from '../../../src/edge/telemetry/throttled-count.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

test('a storm of refusals makes one line a minute, which counts all of them by reason', () => {
  const lines: Counts<'bad_signature' | 'expired'>[] = [];
  const count = throttledCount<'bad_signature' | 'expired'>((line) => lines.push(line));

  for (let second = 0; second <= 120; second++) count({ bad_signature: 1 }, NOW + second * 1_000);
  count({ expired: 1 }, NOW + 121_000);
  count({ expired: 1 }, NOW + 600_000);

  expect(lines).toEqual([{ bad_signature: 1 }, { bad_signature: 60 }, { bad_signature: 60 }, { expired: 2 }]);
});

test('the caller learns what was reported', () => {
  const count = throttledCount<'expired'>(() => {});

  const reported = [0, 1_000, 60_000].map((afterMs) => count({ expired: 1 }, NOW + afterMs));

  expect(reported).toEqual([{ expired: 1 }, undefined, { expired: 2 }]);
});

test('no events make no line', () => {
  const lines: object[] = [];
  const count = throttledCount((line) => lines.push(line));

  expect(count({}, NOW)).toBeUndefined();

  expect(lines).toEqual([]);
});
