import { describe, expect, test } from 'vitest';
import { type ControlOrder, controlOf } from '../../src/sandbox/control.ts';
import { judge, type Verdict } from '../../src/sandbox/verdict.ts';
import { ADDED_TO_CART, JOHN } from '../fakes/records.ts';

const judgeEvents = (events: unknown, order: ControlOrder = {}): Verdict =>
  judge('bulk-events', JSON.stringify({ events }), controlOf(order));

const judgeEvent = (fields: object, order: ControlOrder = {}): Verdict =>
  judgeEvents([{ userId: 'johndoe', eventName: 'Clicked', ...fields }], order);

/** What becomes of the one record of a call. */
function endOf(verdict: Verdict): 'refused' | 'dropped' | 'taken' {
  if (!verdict.ok) return 'refused';
  return verdict.records.every(({ taken }) => taken) ? 'taken' : 'dropped';
}

describe('the sandbox accepts', () => {
  test('the documented examples', () => {
    expect(judgeEvents([ADDED_TO_CART])).toEqual({
      ok: true,
      sent: 1,
      records: [{ record: ADDED_TO_CART, taken: true, dropped: [] }],
    });
    expect(judge('bulk-users', JSON.stringify({ users: [JOHN] }), controlOf({}))).toEqual({
      ok: true,
      sent: 1,
      records: [{ record: JOHN, taken: true, dropped: [] }],
    });
  });

  test('25 records, but not 26 and not none', () => {
    const some = (length: number) => judgeEvents(Array.from({ length }, () => ADDED_TO_CART));

    expect(some(25)).toMatchObject({ ok: true, sent: 25 });
    expect(some(26)).toMatchObject({ ok: false, sent: 26, status: 400 });
    expect(some(0)).toMatchObject({ ok: false, sent: 0, status: 400 });
  });

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '{"users":[{}]}',
    '{"events":{}}',
    '{"events":[null]}',
    '{"events":[[]]}',
  ])('not the body %j', (body) => {
    expect(judge('bulk-events', body, controlOf({}))).toMatchObject({ ok: false, status: 400 });
  });

  test.each([
    { userId: '' },
    { userId: 'u'.repeat(101) },
    { userId: undefined },
    { anonymousId: 'a'.repeat(101) },
    { eventName: undefined },
    { eventName: '' },
    { eventName: 5 },
  ])('not an event with %j', (fields) => {
    expect(endOf(judgeEvent(fields))).toBe('refused');
  });
});

describe('dates', () => {
  const NEAR = [
    '2018-09-15T18:29:00Z',
    '2018-09-15T18:29:00',
    '2018-09-15T18:29:00-08:00',
    '2018-09-15T18:29:00.000-0800',
    '2018-09-15T18:29:00.123Z',
    1537064940000,
  ];
  const NONE = [
    'yesterday',
    '',
    true,
    {},
    '2018-02-30T18:29:00-0800',
    '2019-02-29T18:29:00-0800',
    '2018-13-01T18:29:00-0800',
    '2018-09-00T18:29:00-0800',
    '2018-09-15T24:00:00-0800',
    '2018-09-15T18:60:00-0800',
    '2018-09-15T18:29:00-0860',
    '2018-09-15T18:29:00+1801',
  ];

  test.each(['2018-09-15T18:29:00-0800', '2020-02-29T00:00:00+0000', '2000-02-29T23:59:59+1400'])(
    '%j is in the documented form',
    (eventTime) => {
      expect(endOf(judgeEvent({ eventTime }))).toBe('taken');
    },
  );

  test.each(NEAR)('%j, close to it, is refused, dropped or accepted', (eventTime) => {
    expect(endOf(judgeEvent({ eventTime }))).toBe('refused');
    expect(endOf(judgeEvent({ eventTime }, { otherDates: 'dropped' }))).toBe('dropped');
    expect(endOf(judgeEvent({ eventTime }, { otherDates: 'accepted' }))).toBe('taken');
  });

  test.each([
    ['z', '2018-09-15T18:29:00Z'],
    ['colon', '2018-09-15T18:29:00-08:00'],
    ['milliseconds', '2018-09-15T18:29:00.123-0800'],
    ['epoch', 1537064940000],
  ] as const)('the form %s has a switch of its own', (form, eventTime) => {
    // In the same form and no other, or in this one.
    const others = NEAR.filter(
      (date) => date !== eventTime && !(form === 'milliseconds' && /\.000-/.test(String(date))),
    );

    for (const [end, seen] of [
      ['accepted', 'taken'],
      ['dropped', 'dropped'],
      ['refused', 'refused'],
    ] as const)
      expect(endOf(judgeEvent({ eventTime }, { dateForms: { [form]: end } }))).toBe(seen);
    for (const other of others)
      expect(endOf(judgeEvent({ eventTime: other }, { dateForms: { [form]: 'accepted' } }))).toBe('refused');
  });

  test('a date of two forms gets the stricter answer', () => {
    const eventTime = '2018-09-15T18:29:00.123Z';
    const seen = (z: 'accepted' | 'dropped', milliseconds: 'accepted' | 'dropped') =>
      endOf(judgeEvent({ eventTime }, { dateForms: { z, milliseconds } }));

    expect(seen('accepted', 'accepted')).toBe('taken');
    expect(seen('accepted', 'dropped')).toBe('dropped');
    expect(seen('dropped', 'accepted')).toBe('dropped');
  });

  test.each(NONE)('%j is refused in each setting', (eventTime) => {
    for (const otherDates of ['refused', 'dropped', 'accepted'] as const)
      expect(endOf(judgeEvent({ eventTime }, { otherDates }))).toBe('refused');
  });
});

describe('nulls', () => {
  test.each([
    { eventData: { Price: null } },
    { eventData: { deep: [{ in: null }] } },
    { eventTime: null },
    { userId: null, anonymousId: 'a' },
  ])('in %j are refused, dropped or accepted', (fields) => {
    expect(endOf(judgeEvent(fields))).toBe('refused');
    expect(endOf(judgeEvent(fields, { nulls: 'dropped' }))).toBe('dropped');
    expect(endOf(judgeEvent(fields, { nulls: 'accepted' }))).toBe('taken');
  });

  test('are not ids', () => {
    const fields = { userId: null, anonymousId: null };

    expect(endOf(judgeEvent(fields, { nulls: 'accepted' }))).toBe('refused');
  });
});

test('a numeric userId is refused or accepted', () => {
  expect(endOf(judgeEvent({ userId: 5 }))).toBe('refused');
  expect(endOf(judgeEvent({ userId: 5, anonymousId: 'a' }))).toBe('refused');
  expect(endOf(judgeEvent({ userId: 5 }, { numericUserId: 'accepted' }))).toBe('taken');
});

test('rcsOptIn is accepted, ignored or refused', () => {
  const judgeUser = (rcsOptIn?: ControlOrder['rcsOptIn']) =>
    judge('bulk-users', '{"users":[{"userId":"u","rcsOptIn":true}]}', controlOf({ rcsOptIn }));

  expect(judgeUser()).toMatchObject({ ok: true, records: [{ taken: true, dropped: [] }] });
  expect(judgeUser('ignored')).toMatchObject({
    ok: true,
    records: [{ taken: true, dropped: [{ path: 'rcsOptIn' }] }],
  });
  expect(judgeUser('refused')).toMatchObject({ ok: false, status: 400 });
});

test('more than 25 records are refused, cut or accepted', () => {
  const events = Array.from({ length: 27 }, () => ADDED_TO_CART);
  const taken = (order: ControlOrder) => {
    const verdict = judgeEvents(events, order);
    return verdict.ok ? verdict.records.map((record) => record.taken) : verdict.status;
  };

  expect(taken({})).toBe(400);
  expect(taken({ tooMany: 'accepted' })).toEqual(Array.from({ length: 27 }, () => true));
  expect(taken({ tooMany: 'cut' })).toEqual(Array.from({ length: 27 }, (_, index) => index < 25));
});

test('a call without a record is refused or accepted', () => {
  expect(judgeEvents([])).toMatchObject({ ok: false, status: 400 });
  expect(judgeEvents([], { empty: 'accepted' })).toEqual({ ok: true, sent: 0, records: [] });
  expect(judgeEvents(undefined, { empty: 'accepted' })).toMatchObject({ ok: false, status: 400 });
});

describe('a configured rule to refuse records', () => {
  const eventData = { poison: true, 'Product ID': 1337, deep: { er: 'x' } };

  test.each([
    { field: 'eventName', value: 'Clicked' },
    { field: 'eventName' },
    { field: 'eventData.poison', value: true },
    { field: 'eventData.Product ID', value: 1337 },
    { field: 'eventData.deep.er', value: 'x' },
  ])('%j matches this record', (refuse) => {
    expect(endOf(judgeEvent({ eventData }, { refuse }))).toBe('refused');
  });

  test.each([
    { field: 'eventName', value: 'Poison' },
    { field: 'eventData.poison', value: 'true' },
    { field: 'eventData.deep.er.est' },
    { field: 'eventData.toString' },
  ])('%j does not', (refuse) => {
    expect(endOf(judgeEvent({ eventData }, { refuse }))).toBe('taken');
  });
});
