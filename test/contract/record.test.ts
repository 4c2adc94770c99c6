import { describe, expect, test } from 'vitest';
import { type CheckedRecord, checkRecord } from '../../src/contract/record.ts';
import type { AttributeValue } from '../../src/contract/rules/attributes.ts';
import { eventRecord, idOf, userRecord } from '../fakes/records.ts';

function issuesOf(checked: CheckedRecord): Record<string, string> {
  return checked.ok ? {} : Object.fromEntries(checked.issues.map(({ path, message }) => [path, message]));
}

const manyOf = (count: number, value: AttributeValue) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`attribute ${index}`, value]));

describe('a valid record', () => {
  test('the documented user and event, unchanged', () => {
    for (const record of [userRecord(1), eventRecord(2)])
      expect(checkRecord(record)).toEqual({ ok: true, record });
  });

  test('every field of both tables', () => {
    const user = userRecord(1, {
      emailOptIn: true,
      smsOptIn: false,
      whatsappOptIn: true,
      rcsOptIn: false,
      hashedEmail: '144e0424883546e07dcd727057fd3b62',
      hashedPhone: 'e0ec043b3f9e198ec09041687e4d4e8d',
      age: 42,
    });

    expect(checkRecord(user)).toEqual({ ok: true, record: user });
  });

  test('a birthday as a calendar day', () => {
    expect(checkRecord(userRecord(1, { birthDate: '1986-08-19' })).ok).toBe(true);
  });

  test('an anonymous visitor, and both ids', () => {
    const { userId: _, ...anonymous } = { ...eventRecord(1), anonymousId: 'a1' };

    expect(checkRecord(anonymous).ok).toBe(true);
    expect(checkRecord({ ...eventRecord(1), anonymousId: 'a1' }).ok).toBe(true);
  });

  test('values of every type, nested too', () => {
    const eventData = {
      s: 'a',
      n: 1.5,
      b: false,
      d: '2018-09-15T18:29:00-0800',
      a: [1, ['x']],
      o: { p: { q: 1 } },
    };

    expect(checkRecord(eventRecord(1, { eventData })).ok).toBe(true);
  });

  test('values at their limits', () => {
    const eventData = { ['n'.repeat(49)]: 'v'.repeat(999), ...manyOf(24, 'text') };

    expect(
      checkRecord(eventRecord(1, { eventName: 'e'.repeat(49), userId: 'u'.repeat(100), eventData })),
    ).toMatchObject({ ok: true });
  });

  test('25 of each type, a date being no string', () => {
    const eventData = {
      ...manyOf(25, 'text'),
      ...Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`date ${i}`, '2018-09-15T18:29:00-0800'])),
      ...Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`number ${i}`, i])),
    };

    expect(checkRecord(eventRecord(1, { eventData }))).toMatchObject({ ok: true });
  });
});

describe('an invalid record, with its path', () => {
  test.each([
    ['no name', { eventName: undefined }, 'eventName', /well-formed text of 1 to 49/],
    ['an empty name', { eventName: '' }, 'eventName', /text of 1 to 49/],
    ['a name of 50 characters', { eventName: 'e'.repeat(50) }, 'eventName', /text of 1 to 49 characters/],
    ['a reserved name', { eventName: 'we_wk_bought' }, 'eventName', /must not start with we_/],
    ["a system event's name", { eventName: 'user_logged_in' }, 'eventName', /system event/],
    ["a system event's family", { eventName: 'email_open' }, 'eventName', /system event/],
    ['an id of 101 characters', { userId: 'u'.repeat(101) }, 'userId', /text of 1 to 100 characters/],
    ['a numeric id', { userId: 7 }, 'userId', /well-formed text of 1 to 100/],
    ['no id', { userId: undefined }, 'userId', /is required, unless there is an anonymousId/],
    ['a date with Z', { eventTime: '2018-09-15T18:29:00Z' }, 'eventTime', /yyyy-MM-ddTHH:mm:ss±hhmm/],
    ['a null', { eventData: { Price: null } }, 'eventData.Price', /must be a string, finite number/],
    [
      'a nested null',
      { eventData: { Cart: { Items: [null] } } },
      'eventData.Cart.Items.0',
      /must be a string/,
    ],
    ['a long value', { eventData: { Note: 'n'.repeat(1000) } }, 'eventData.Note', /0 to 999 characters/],
    ['a long nested value', { eventData: { a: ['n'.repeat(1000)] } }, 'eventData.a.0', /0 to 999 characters/],
    [
      'half a surrogate pair in a nested name',
      { eventData: { a: { '\ud800': 1 } } },
      'eventData.a',
      /name that must be well-formed text/,
    ],
    ['half a surrogate pair', { eventData: { Note: '\ud800' } }, 'eventData.Note', /well-formed/],
    [
      'a reserved attribute',
      { eventData: { we_x: 1 } },
      'eventData.we_x',
      /has a name that must not start with we_/,
    ],
    [
      'a long attribute name',
      { eventData: { ['n'.repeat(50)]: 1 } },
      `eventData.${'n'.repeat(50)}`,
      /1 to 49/,
    ],
    [
      'a 26th of a type',
      { eventData: manyOf(26, true) },
      'eventData.attribute 25',
      /at most 25 of type boolean/,
    ],
    ['data that is a list', { eventData: [] }, 'eventData', /must be an object/],
    ['a field WebEngage does not have', { cookie: 'x' }, 'cookie', /is not a field/],
    ['a bad age', { age: -1 }, 'age', /whole number of milliseconds/],
    ['a bad id', { id: 'short.1' }, 'id', /<session>\.<seq>/],
    ['a seq of 0', { id: idOf(0) }, 'id', /from 1/],
  ])('%s', (_, fields, path, rule) => {
    expect(issuesOf(checkRecord({ ...eventRecord(1), ...fields }))[path]).toMatch(rule);
  });

  test.each([
    ['a phone that is not E.164', { phone: '0049 89 1234' }, 'phone', /E\.164/],
    ['an unknown gender', { gender: 'm' }, 'gender', /male, female or other/],
    ['an opt-in that is text', { emailOptIn: 'true' }, 'emailOptIn', /true or false/],
    ['a birthday that does not exist', { birthDate: '1986-02-30' }, 'birthDate', /yyyy-MM-dd/],
    ['a birthday in prose', { birthDate: '19 August 1986' }, 'birthDate', /yyyy-MM-dd/],
    ['a company of 1,000 characters', { company: 'c'.repeat(1000) }, 'company', /0 to 999/],
    [
      'over 16 KB of arrays and objects',
      { attributes: { a: Array(20).fill('v'.repeat(900)) } },
      'attributes.a',
      /16384 bytes/,
    ],
  ])('%s', (_, fields, path, rule) => {
    expect(issuesOf(checkRecord({ ...userRecord(1), ...fields }))[path]).toMatch(rule);
  });

  test.each([[null], [7], ['text'], [[]], [{}], [{ kind: 'page' }]])('%j, which is not a record', (input) => {
    expect(checkRecord(input).ok).toBe(false);
  });

  test('data nested so deep that recursion would end the process', () => {
    const eventData = { a: JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) };

    expect(checkRecord({ ...eventRecord(1), eventData }).ok).toBe(false);
  });

  test('no message quotes the value', () => {
    const secret = 'jane@example.com'.repeat(100);
    const checked = checkRecord({
      ...userRecord(1),
      email: secret,
      phone: secret,
      gender: secret,
      [secret]: 1,
    });

    expect(Object.values(issuesOf(checked)).join()).not.toContain('jane@');
  });
});
