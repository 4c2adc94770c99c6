import { expect, test } from 'vitest';
import { checkBatch } from '../../src/edge/check.ts';
import { eventRecord, idOf, userRecord } from '../fakes/records.ts';

const NOW = Date.parse('2026-11-23T15:45:00Z');

function check(records: readonly unknown[], sentAt = new Date(NOW).toISOString()) {
  return checkBatch({ v: 1, sentAt, device: '', records: [...records] }, NOW);
}

const eventTimes = ({ good }: ReturnType<typeof checkBatch>) =>
  good.map((record) => (record.kind === 'event' ? record.eventTime : undefined));

test('a bad record is rejected by itself, with its path; its neighbours pass unchanged', () => {
  const good = [userRecord(1), eventRecord(3)];

  const checked = check([good[0], eventRecord(2, { eventData: { Price: null as never } }), good[1]]);

  expect(checked.good).toEqual(good);
  expect(checked.rejected).toMatchObject([{ id: idOf(2), issues: [{ path: 'eventData.Price' }] }]);
});

test('a record without a usable id is named by its place', () => {
  expect(check([eventRecord(1), 7, { id: 8 }]).rejected.map(({ id }) => id)).toEqual([
    'records[1]',
    'records[2]',
  ]);
});

test('where hundreds of records are bad in many ways, an answer does not tell them all, but something of each', () => {
  const bad = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x${index}`, null]));

  const { rejected } = check(Array.from({ length: 400 }, (_, index) => eventRecord(index + 1, bad as never)));

  expect(rejected).toHaveLength(400);
  expect(rejected.every(({ issues }) => issues.length > 0)).toBe(true);
  expect(rejected.flatMap(({ issues }) => issues).length).toBeLessThan(250 + 10 + 400);
});

test('an event of 2018 is not expired: age goes by the making', () => {
  expect(check([eventRecord(1, { age: 7 * 86_400 })]).good).toHaveLength(1);
  expect(check([eventRecord(1, { age: 7 * 86_400 + 1 })]).rejected).toMatchObject([
    { id: idOf(1), issues: [{ path: 'age', message: expect.stringContaining('expired') }] },
  ]);
});

test('a clock that is an hour fast is corrected, in the visitor’s own offset', () => {
  const event = eventRecord(1, { eventTime: '2026-11-23T18:44:00+0200' });

  expect(eventTimes(check([event], '2026-11-23T16:45:00Z'))).toEqual(['2026-11-23T17:44:00+0200']);
});

test('a difference of up to a minute may be the network’s, and is left', () => {
  expect(eventTimes(check([eventRecord(1)], '2026-11-23T15:44:00Z'))).toEqual(['2018-09-15T18:29:00-0800']);
});

test('times are left as they are where it is not known when the batch was sent', () => {
  const checked = checkBatch({ v: 1, device: '', records: [eventRecord(1)] }, NOW);

  expect(eventTimes(checked)).toEqual(['2018-09-15T18:29:00-0800']);
});

test('an event without a time gets that of its making', () => {
  const { eventTime: _, ...event } = eventRecord(1, { age: 60 });

  expect(eventTimes(check([event]))).toEqual(['2026-11-23T15:44:00+0000']);
});
