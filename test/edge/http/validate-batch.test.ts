import { expect, test } from 'vitest';
import type { Batch } from '../../../src/contract/batch.ts';
import { checkBatch, parseBatch } from '../../../src/edge/http/validate-batch.ts';
import { eventRecord, idOf, userRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T15:45:00Z');

type Fields = Partial<Omit<Batch, 'records'>>;

function check(records: readonly unknown[], fields: Fields = {}, sender: 'page' | 'server' = 'page') {
  const batch = { v: 1, sentAt: new Date(NOW).toISOString(), device: '', ...fields, records: [...records] };
  return checkBatch({ batch: { ...batch, v: 1 }, faults: new Map() }, { sender, now: NOW });
}

const eventTimes = ({ good }: ReturnType<typeof checkBatch>) =>
  good.map((record) => (record.kind === 'event' ? record.eventTime : undefined));

test('a bad record is rejected alone, with its path, and its neighbours pass unchanged', () => {
  const good = [userRecord(1), eventRecord(3)];

  const checked = check([good[0], eventRecord(2, { eventData: { Price: null as never } }), good[1]]);

  expect(checked.good).toEqual(good);
  expect(checked.rejected).toMatchObject([{ id: idOf(2), issues: [{ path: 'eventData.Price' }] }]);
});

test('a record without a valid id is named by its position', () => {
  expect(check([eventRecord(1), 7, { id: 8 }]).rejected.map(({ id }) => id)).toEqual([
    'records[1]',
    'records[2]',
  ]);
});

test('an answer to hundreds of bad records lists some issues of each record, not all of them', () => {
  const bad = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x${index}`, null]));

  const { rejected } = check(
    Array.from({ length: 400 }, (_, index) => eventRecord(index + 1, { eventData: bad as never })),
  );

  expect(rejected).toHaveLength(400);
  expect(rejected.every(({ issues }) => issues.length > 0)).toBe(true);
  expect(rejected.flatMap(({ issues }) => issues).length).toBeLessThan(250 + 10 + 400);
});

test('an event of 2018 is not expired, because only its age counts', () => {
  const week = 7 * 86_400_000;

  expect(check([eventRecord(1, { age: week })]).good).toHaveLength(1);
  expect(check([eventRecord(1, { age: week + 1 })], { clockOffset: -week })).toMatchObject({
    expired: 1,
    repaired: [],
    rejected: [{ id: idOf(1), issues: [{ path: 'age', message: expect.stringContaining('expired') }] }],
  });
});

test('a clock that is an hour fast is corrected, in the visitor’s own offset', () => {
  const event = eventRecord(1, { eventTime: '2026-11-23T18:44:00+0200', age: 60_000 });
  const sentAt = '2026-11-23T16:45:00Z';

  expect(eventTimes(check([event], { sentAt }))).toEqual(['2026-11-23T17:44:00+0200']);
  expect(eventTimes(check([event], { sentAt, clockOffset: 3_600_000 }))).toEqual([
    '2026-11-23T17:44:00+0200',
  ]);
});

test('a late body does not count as a wrong clock if the offset is known', () => {
  const event = eventRecord(1, { eventTime: '2026-11-23T17:40:00+0200', age: 60_000 });

  const late = check([event], { sentAt: '2026-11-23T15:41:00Z', clockOffset: 20 });

  expect(eventTimes(late)).toEqual(['2026-11-23T17:40:00+0200']);
});

test('a difference of up to a minute may be the network’s, and is left', () => {
  const sentAt = '2026-11-23T15:44:00Z';

  expect(eventTimes(check([eventRecord(1)], { sentAt }))).toEqual(['2018-09-15T18:29:00-0800']);
});

test('a server’s time may be years ago, whatever the age of its record', () => {
  const event = eventRecord(1, { age: 60_000 });

  expect(eventTimes(check([event], {}, 'server'))).toEqual(['2018-09-15T18:29:00-0800']);
  expect(eventTimes(check([event], {}, 'page'))).toEqual(['2026-11-23T07:44:00-0800']);
});

test('a server’s time is kept as it is, even if the server’s clock is wrong', () => {
  const fields = { sentAt: '2026-11-23T09:00:00Z', clockOffset: 3_600_000 };

  expect(eventTimes(check([eventRecord(1)], fields, 'server'))).toEqual(['2018-09-15T18:29:00-0800']);
});

test('times are left as they are if the time of sending is unknown', () => {
  expect(eventTimes(check([eventRecord(1)], { sentAt: undefined }))).toEqual(['2018-09-15T18:29:00-0800']);
});

test('an event without a time gets the time of its call', () => {
  const { eventTime: _, ...event } = eventRecord(1, { age: 60_000 });

  expect(eventTimes(check([event]))).toEqual(['2026-11-23T15:44:00+0000']);
  expect(eventTimes(check([{ ...event, eventTime: 'now' }], { lenient: true }))).toEqual([
    '2026-11-23T15:44:00+0000',
  ]);
});

test('a repair is reported with record, path and rule', () => {
  const records = [eventRecord(1), { ...userRecord(2), phone: '98765' }, { ...eventRecord(3), coupon: 1 }];

  const { good, repaired } = check(records, { lenient: true });

  expect(good).toHaveLength(3);
  expect(repaired).toEqual([
    { id: idOf(2), path: 'phone', rule: 'must be E.164, as +551155256325', done: 'left_out' },
    { id: idOf(3), path: 'coupon', rule: 'is not a field of an event', done: 'left_out' },
  ]);
});

test('an answer to hundreds of repaired records lists some repairs of each record, not all of them', () => {
  const bad = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`we_${index}`, 1]));
  const records = Array.from({ length: 400 }, (_, index) => eventRecord(index + 1, { eventData: bad }));

  const { good, repaired } = check(records, { lenient: true });

  expect(good).toHaveLength(400);
  expect(new Set(repaired.map(({ id }) => id)).size).toBe(400);
  expect(repaired.length).toBeLessThan(250 + 10 + 400);
});

test('a body that breaks a rule of JSON in one record costs that record alone', () => {
  const body = JSON.stringify({
    v: 1,
    device: crypto.randomUUID(),
    records: [eventRecord(1), 7, eventRecord(3)],
  });
  const bad = JSON.stringify(eventRecord(2)).replace('"Price"', '"__proto__"');

  const parsed = parseBatch(body.replace(',7,', `,${bad},`), 'page');

  expect(parsed.ok && checkBatch(parsed, { sender: 'page', now: NOW })).toMatchObject({
    good: [{ id: idOf(1) }, { id: idOf(3) }],
    rejected: [{ id: idOf(2), issues: [{ path: 'eventData.__proto__', message: 'must not be a field' }] }],
  });
});
