import { describe, expect, test } from 'vitest';
import { type Question, type Reading, type Reply, runOf } from '../../../src/cli/probe/question.ts';
import { QUESTIONS } from '../../../src/cli/probe/questions.ts';

const run = runOf('0a1b2c3d');
const REPLY = { isJson: true, words: '' };
const TAKEN: Reply = { ...REPLY, status: 200, verdict: 'taken' };
const REFUSED: Reply = { ...REPLY, status: 400, verdict: 'refused' };
const TOO_LARGE: Reply = { ...REPLY, status: 413, verdict: 'too_large' };
const DOWN: Reply = { ...REPLY, status: 503, verdict: 'unknown' };

const read = (...marks: readonly string[]): Reading => ({
  user: JSON.stringify(marks.map((name) => run.mark(name))),
  secondUser: undefined,
});

const ALL: readonly (readonly [string, Question])[] = Object.entries(QUESTIONS);

describe.each(ALL)('%s', (_, question) => {
  const calls: string[] = [];
  for (let index = 0; index < question.calls; index++) {
    const replies = Array.from({ length: index }, () => TAKEN);
    const call = question.next(run, replies);
    if (call !== undefined) calls.push(call.body);
  }

  test('names no user but the two of the run', () => {
    const ids = calls.flatMap((body) => [...body.matchAll(/"(?:userId|anonymousId)":("[^"]*"|[^,}]*)/g)]);

    expect(calls.length).toBeGreaterThan(0);
    for (const [, id] of ids) expect([`"${run.userId}"`, `"${run.secondUserId}"`]).toContain(id);
  });

  test.each([
    ['no reply', []],
    ['no usable reply', Array.from({ length: 20 }, () => DOWN)],
  ])('knows nothing after %s', (__, replies) => {
    const judged = question.judge({ run, replies, reading: read('first', 'last') });

    for (const answer of Object.values(judged)) expect(answer).toMatchObject({ value: 'unknown' });
  });
});

describe('a record that is refused, and arrives all the same, is unknown', () => {
  test('beside a bad record', () => {
    const { judge } = QUESTIONS.invalid;

    expect(judge({ run, replies: [REFUSED], reading: read('beside_bad') }).invalid.value).toBe('unknown');
    expect(judge({ run, replies: [REFUSED], reading: read() }).invalid.value).toBe('fails_call');
  });

  test('a good record that is gone, though the call was queued, is no dropped bad one', () => {
    expect(QUESTIONS.invalid.judge({ run, replies: [TAKEN], reading: read() }).invalid.value).toBe('unknown');
  });
});

test('the four dates are one moment', () => {
  const dates = [0, 1, 2, 3].map((index) => {
    const call = QUESTIONS.dates.next(
      run,
      Array.from({ length: index }, () => TAKEN),
    );
    return JSON.parse(call?.body ?? '').users[0].birthDate;
  });

  expect(new Set(dates.map((date) => Math.floor(new Date(date).getTime() / 1000))).size).toBe(1);
});

test('two calls with the same x-request-id differ in their records, or in nothing', () => {
  const calls = [0, 1, 2, 3, 4, 5].map((index) =>
    QUESTIONS.requestIds.next(
      run,
      Array.from({ length: index }, () => TAKEN),
    ),
  );
  const [first, reused, other1, other2, same1, same2] = calls;

  expect(first?.requestId).toBe(reused?.requestId);
  expect(first?.body).not.toBe(reused?.body);
  expect(other1?.requestId).not.toBe(other2?.requestId);
  expect(other1?.body).toBe(other2?.body);
  expect(same1).toEqual({ ...same2, says: same1?.says });
  for (const call of calls) expect(call?.requestId).toMatch(/^[\da-f]{32}$/);
});

describe('x-request-id', () => {
  const judge = (replies: readonly Reply[], ...marks: readonly string[]) =>
    QUESTIONS.requestIds.judge({ run, replies, reading: read(...marks) });
  const ALL_TAKEN = Array.from({ length: 6 }, () => TAKEN);

  test.each([
    // However often an export names one event.
    [['other_ids', 'other_ids', 'same_id'], 'honoured'],
    [['other_ids', 'other_ids', 'other_ids', 'other_ids', 'same_id', 'same_id'], 'honoured'],
    [['other_ids', 'other_ids', 'same_id', 'same_id'], 'ignored'],
    // WebEngage itself takes equal events for one: nothing follows.
    [['other_ids', 'same_id'], 'unknown'],
    [['other_ids', 'other_ids', 'same_id', 'same_id', 'same_id'], 'unknown'],
    [[], 'unknown'],
    // By the records of a reused id, where an export holds no events.
    [['id_first'], 'honoured'],
    [['id_first', 'id_reused'], 'ignored'],
    [['id_reused'], 'unknown'],
  ])('with %j in the export: %s', (marks, idempotency) => {
    expect(judge(ALL_TAKEN, ...marks).idempotency.value).toBe(idempotency);
  });

  test('a refused id says that ids are looked at, not that doubles are left out', () => {
    const judged = judge([TAKEN, REFUSED, TAKEN, TAKEN, TAKEN, TAKEN], 'id_first');

    expect(judged.reusedRequestId.value).toBe('refused');
    expect(judged.idempotency.value).toBe('unknown');
  });
});

describe('rcsOptIn', () => {
  const judge = (first: string, second: string | undefined) =>
    QUESTIONS.rcsOptIn.judge({
      run,
      replies: [TAKEN, TAKEN],
      reading: { user: run.mark('rcs') + first, secondUser: second },
    }).rcsOptIn.value;

  test.each([
    ['{"rcsOptIn":true,"smsOptIn":true}', '{"rcsOptIn":false,"smsOptIn":false}', 'accepted'],
    ['{"we_rcs_opt_in": "true"}', '{"we_rcs_opt_in": "false"}', 'accepted'],
    ['{"smsOptIn":true}', '{"smsOptIn":false}', 'ignored'],
    // A default, which both users have.
    ['{"rcsOptIn":true,"smsOptIn":true}', '{"rcsOptIn":true,"smsOptIn":false}', 'ignored'],
    ['{"rcsOptIn":true}', '{"rcsOptIn":true}', 'unknown'],
    ['{}', '{}', 'unknown'],
    ['{"rcsOptIn":true}', undefined, 'unknown'],
  ])('%s and %s: %s', (first, second, value) => {
    expect(judge(first, second)).toBe(value);
  });
});

test('413 to one record is no answer about it', () => {
  expect(QUESTIONS.nulls.judge({ run, replies: [TOO_LARGE], reading: read() }).nulls.value).toBe('unknown');
});
