import { describe, expect, test } from 'vitest';
import { type Reply, runOf } from '../../../src/cli/probe/question.ts';
import { rateLimit, sharingOf } from '../../../src/cli/probe/rate-limit.ts';

const run = runOf('0a1b2c3d');

const left = (remaining: number | undefined, limit = 500): Reply => ({
  status: 200,
  verdict: 'taken',
  isJson: true,
  words: '',
  ...(remaining !== undefined && { rateLimit: { limit, remaining } }),
});

const judge = (replies: readonly Reply[]) => rateLimit.judge({ run, replies, reading: undefined });

describe('the calls that are left after users, events ×3, users', () => {
  test.each([
    [[490, 489, 488, 487, 486], 'shared'],
    [[490, 490, 489, 488, 489], 'separate'],
    [[490, 120, 119, 118, 489], 'separate'],
    // Separate counters that happen to be one apart.
    [[490, 489, 488, 487, 489], 'separate'],
    // Somebody else calls too.
    [[490, 487, 485, 484, 480], undefined],
    [[490, 490, 489, 487, 489], undefined],
    // The minute ends in between.
    [[490, 489, 488, 499, 498], undefined],
    [[490, 489, 488, 487, 499], undefined],
    [[490, 489, 488, 487, 490], undefined],
    [[0, 0, 0, 0, 0], undefined],
    [[490, 489], undefined],
    [[], undefined],
  ])('%j: %s', (remaining, sharing) => {
    expect(sharingOf(remaining)).toBe(sharing);
  });
});

test('a disturbed try is repeated once', () => {
  const disturbed = [490, 485, 484, 483, 482].map((remaining) => left(remaining));
  const calm = [481, 480, 479, 478, 477].map((remaining) => left(remaining));

  expect(rateLimit.next(run, disturbed)).toBeDefined();
  expect(judge(disturbed).limit.value).toBe('unknown');
  expect(judge([...disturbed, ...calm]).limit.value).toBe('shared');
  expect(rateLimit.next(run, [...disturbed, ...disturbed])).toBeUndefined();
});

test('without the headers nothing is known, and no second try is made', () => {
  const silent = Array.from({ length: 5 }, () => left(undefined));

  expect(rateLimit.next(run, silent)).toBeUndefined();
  expect(judge(silent)).toMatchObject({
    limit: { value: 'unknown' },
    requestsPerMinute: { value: 'unknown' },
    rateHeaders: { value: 'absent' },
  });
});

test('two limits that differ are no limit of the account', () => {
  const replies = [left(490, 500), left(95, 100), left(94, 100), left(93, 100), left(489, 500)];

  expect(judge(replies)).toMatchObject({
    limit: { value: 'separate' },
    requestsPerMinute: { value: 'unknown' },
  });
});
