import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodySize, nextSize, padded } from '../../../src/cli/probe/body-size.ts';
import { type Reply, runOf } from '../../../src/cli/probe/question.ts';

const REPLY = { isJson: true, words: '' };
const TAKEN: Reply = { ...REPLY, status: 200, verdict: 'taken' };
const TOO_LARGE: Reply = { ...REPLY, status: 413, verdict: 'too_large' };
const NO_ANSWER: Reply = { status: 0, verdict: 'unknown', isJson: false, words: '' };

const run = runOf('0a1b2c3d');
const judged = (replies: readonly Reply[]) =>
  bodySize.judge({ run, replies, reading: undefined }).largestBody.value;

/** What an account with this limit answers, until there is no other size to try. */
function repliesUnder(limit: number): readonly Reply[] {
  const replies: Reply[] = [];
  for (let bytes = nextSize(replies); bytes !== undefined; bytes = nextSize(replies))
    replies.push(bytes <= limit ? TAKEN : TOO_LARGE);
  return replies;
}

test('any limit is found, closely and in no more calls than announced', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_024, max: 2_000_000 }), (limit) => {
      const replies = repliesUnder(limit);
      const value = judged(replies);

      expect(replies.length).toBeLessThanOrEqual(bodySize.calls);
      if (value === 'unknown') throw new Error('unknown');
      expect(value.acceptedBytes).toBeLessThanOrEqual(limit);
      if (value.refusedBytes === null) expect(value.acceptedBytes).toBe(1_048_576);
      else expect(value.refusedBytes).toBeGreaterThan(limit);
    }),
    { numRuns: 2_000 },
  );
});

test.each([16_384, 100_000, 102_400, 131_072, 1_000_000])(
  'the usual limit of %d is found to the byte',
  (limit) => {
    const replies = repliesUnder(limit);

    expect(judged(replies)).toEqual({ acceptedBytes: limit, refusedBytes: limit + 1 });
    expect(replies.length).toBeLessThanOrEqual(7);
  },
);

test('without a limit one call is enough', () => {
  expect(repliesUnder(Number.POSITIVE_INFINITY)).toHaveLength(1);
});

test('an answer that is neither yes nor 413 ends the search, and nothing is guessed', () => {
  const replies = [TOO_LARGE, TAKEN, NO_ANSWER];

  expect(nextSize(replies)).toBeUndefined();
  expect(judged(replies)).toBe('unknown');
});

test('an unfinished search is unknown', () => {
  expect(judged([])).toBe('unknown');
  expect(judged([TOO_LARGE, TAKEN])).toBe('unknown');
});

test('the padding changes the size of a call and nothing else', () => {
  const call = bodySize.next(run, []);
  const body = call?.body ?? '';

  expect(Buffer.byteLength(body)).toBe(1_048_576);
  expect(JSON.parse(padded('{"users":[{"userId":"ü"}]}', 60))).toEqual({ users: [{ userId: 'ü' }] });
  expect(Buffer.byteLength(padded('{"users":[{"userId":"ü"}]}', 60))).toBe(60);
  expect(padded('{"users":[]}', 3)).toBe('{"users":[]}');
});
