import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRecord } from '../../src/contract/record.ts';
import { controlOf } from '../../src/sandbox/control.ts';
import { droppedOf } from '../../src/sandbox/dropped.ts';
import { judge } from '../../src/sandbox/verdict.ts';
import { ADDED_TO_CART, JOHN } from '../fakes/records.ts';

const DATE = '2018-09-15T18:29:00-0800';

const many = (count: number, value: unknown, prefix = 'n') =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${prefix}${n}`, value]));

const pathsOfEvent = (eventData: object) =>
  droppedOf('event', { userId: 'u', eventName: 'Clicked', eventData }).map(({ path }) => path);
const pathsOfUser = (fields: object) => droppedOf('user', { userId: 'u', ...fields }).map(({ path }) => path);

test('nothing of the documented examples is dropped', () => {
  expect(droppedOf('user', JOHN)).toEqual([]);
  expect(droppedOf('event', ADDED_TO_CART)).toEqual([]);
});

describe('an event name', () => {
  test.each([
    'e'.repeat(50),
    'we_x',
    'user_logged_in',
    'app_installed',
    'notification_click',
    'email_open',
    'sms_sent',
  ])('%j is dropped', (eventName) => {
    expect(droppedOf('event', { userId: 'u', eventName })).toMatchObject([{ path: 'eventName' }]);
  });

  test.each(['e'.repeat(49), 'we', 'wednesday', 'user_logged_in_twice', 'email'])(
    '%j is not',
    (eventName) => {
      expect(droppedOf('event', { userId: 'u', eventName })).toEqual([]);
    },
  );
});

describe('attributes', () => {
  test('with a name of 50 characters or a reserved one are dropped, of events and of users', () => {
    const attributes = { ['a'.repeat(49)]: 1, ['b'.repeat(50)]: 1, we_email: 'x' };

    expect(pathsOfEvent(attributes)).toEqual([`eventData.${'b'.repeat(50)}`, 'eventData.we_email']);
    expect(pathsOfUser({ attributes })).toEqual([`attributes.${'b'.repeat(50)}`, 'attributes.we_email']);
  });

  test('lose a string of 1,000 characters, wherever it is', () => {
    const eventData = {
      fits: 'x'.repeat(999),
      long: 'x'.repeat(1_000),
      inside: [{ deep: 'x'.repeat(1_000) }],
    };

    expect(pathsOfEvent(eventData)).toEqual(['eventData.long', 'eventData.inside']);
  });

  test.each([
    ['String', 'x'],
    ['Number', 1],
    ['Boolean', true],
    ['Date', DATE],
    ['Array', [1]],
    ['Object', {}],
  ])('of type %s number at most 25', (_, value) => {
    expect(pathsOfEvent(many(25, value))).toEqual([]);
    expect(pathsOfEvent(many(26, value))).toEqual(['eventData.n25']);
    expect(pathsOfUser({ attributes: many(26, value) })).toEqual(['attributes.n25']);
  });

  test('that are dates in the documented form do not count as strings, and others do', () => {
    expect(pathsOfEvent({ ...many(25, 'x'), ...many(25, DATE, 'd') })).toEqual([]);
    expect(pathsOfEvent({ ...many(25, 'x'), near: '2018-09-15T18:29:00Z' })).toEqual(['eventData.near']);
  });

  test('of a user may hold 16 KB in arrays and objects together, and those of an event more', () => {
    const half = Array.from({ length: 10 }, () => 'x'.repeat(900));
    const attributes = { one: half, other: half, text: 'x' };

    expect(pathsOfUser({ attributes: { one: half, text: 'x' } })).toEqual([]);
    expect(pathsOfUser({ attributes })).toEqual(['attributes.other']);
    expect(pathsOfEvent(attributes)).toEqual([]);
  });
});

describe('fields', () => {
  test.each([
    [{ id: 'x.1' }, 'id'],
    [{ toString: 'x' }, 'toString'],
    [{ email: 5 }, 'email'],
    [{ emailOptIn: 'yes' }, 'emailOptIn'],
    [{ gender: 'f' }, 'gender'],
    [{ phone: '0049 89 1234' }, 'phone'],
    [{ attributes: [] }, 'attributes'],
    [{ company: 'x'.repeat(1_000) }, 'company'],
  ])('%j are dropped', (fields, path) => {
    expect(pathsOfUser(fields)).toEqual([path]);
  });

  test('with a setting of their own are not checked here', () => {
    expect(pathsOfUser({ userId: 5, email: null, birthDate: 0, attributes: { a: null } })).toEqual([]);
  });
});

describe('compared with the contract of the product', () => {
  const around = (limit: number) => fc.integer({ min: limit - 2, max: limit + 2 });
  const name = fc.oneof(
    around(49).map((length) => 'n'.repeat(length)),
    fc.constantFrom('we_x', 'we', 'user_logged_in', 'email_x', 'sms_', 'Clicked', '__proto__', 'toString'),
    fc.string({ maxLength: 8 }),
  );
  // Of 2 digits each, mostly real and now and then a little beyond.
  const part = (most: number) => fc.integer({ min: 0, max: most }).map((n) => String(n).padStart(2, '0'));
  const date = fc
    .tuple(part(13), part(32), part(24), part(60), fc.constantFrom('-', '+'), part(19), part(61))
    .map(
      ([month, day, hour, minute, sign, h, m]) => `2018-${month}-${day}T${hour}:${minute}:00${sign}${h}${m}`,
    );
  // About 16 KB of arrays, in characters and in bytes.
  const nested = fc
    .tuple(around(18), fc.constantFrom('x'.repeat(900), 'ü'.repeat(450)))
    .map(([length, text]) => Array.from({ length }, () => text));
  const value = fc.oneof(
    around(999).map((length) => 'v'.repeat(length)),
    fc.constantFrom(DATE, '2018-09-15T18:29:00Z', 0, -1.5, true, false, '', null, [], {}),
    fc.jsonValue({ maxDepth: 3 }),
    nested,
  );
  const attributes = fc.oneof(
    fc.dictionary(name, value, { maxKeys: 8 }),
    fc.tuple(around(25), value).map(([count, one]) => many(count, one)),
    nested.map((list) => ({ list })),
  );
  const userId = fc.oneof(
    around(100).map((length) => 'u'.repeat(length)),
    fc.constantFrom('', null, 5, undefined),
  );

  /** Of a record that our contract takes: the sandbox has it, and drops nothing of it. */
  function expectTaken(kind: 'user' | 'event', record: object): void {
    fc.pre(checkRecord({ kind, id: `${'-'.repeat(22)}.1`, ...record }).ok);
    const body = JSON.stringify({ [`${kind}s`]: [record] });

    expect(judge(`bulk-${kind}s`, body, controlOf({}))).toMatchObject({
      ok: true,
      records: [{ taken: true, dropped: [] }],
    });
  }

  test('a valid event is accepted, and nothing of it is dropped', () => {
    fc.assert(
      fc.property(name, attributes, (eventName, eventData) =>
        expectTaken('event', { userId: 'u', eventName, eventData }),
      ),
      { numRuns: 300 },
    );
  });

  test('a valid visitor and time are accepted', () => {
    fc.assert(
      fc.property(userId, userId, fc.oneof(date, value), (userId, anonymousId, eventTime) =>
        expectTaken('event', {
          ...(userId === undefined ? {} : { userId }),
          anonymousId: anonymousId ?? 'a',
          eventName: 'Clicked',
          eventTime,
        }),
      ),
      { numRuns: 300, maxSkipsPerRun: 1_000 },
    );
  });

  test('a valid user is accepted, and nothing of it is dropped', () => {
    const field = fc.constantFrom(
      ...['firstName', 'gender', 'phone', 'emailOptIn', 'birthDate', 'hashedEmail', 'other'],
    );
    const fieldValue = fc.oneof(value, date, fc.constantFrom('other', '+551155256325', '+0'));

    fc.assert(
      fc.property(field, fieldValue, attributes, (field, value, attributes) =>
        expectTaken('user', { userId: 'u', [field]: value, attributes }),
      ),
      { numRuns: 300, maxSkipsPerRun: 1_000 },
    );
  });
});
