import { describe, expect, test } from 'vitest';
import { readRecord } from '../../src/contract/read-record.ts';
import { idOf } from '../fakes/records.ts';
import { gtmPage } from './sandbox.ts';
import { callsIn, putStub } from './stub.ts';

/** The call that a tag makes, with the page's own stub. */
function callOf(data: object, given: Parameters<typeof gtmPage>[0] = {}) {
  const page = gtmPage(given);
  putStub(page.window);
  const ending = page.fire(data);
  return { ending, logged: page.logged, calls: callsIn(page.window) };
}

const one = { succeeded: 1, failed: 0 };
const failed = { succeeded: 0, failed: 1 };

describe('identify', () => {
  test('describes the visitor, with profile and attributes', () => {
    const { ending, calls } = callOf({
      tagType: 'identify',
      userId: 'johndoe',
      profile: [
        { name: 'email', value: 'john@doe.com' },
        { name: 'birthDate', value: '1986-08-19' },
        { name: 'emailOptIn', value: 'false' },
      ],
      attributes: [
        { name: 'Age', value: '31', type: 'text' },
        { name: 'Points earned', value: '78732', type: 'number' },
        { name: 'Since', value: '2018-09-15T18:29:00.123-08:00', type: 'date' },
        { name: 'Sizes', value: ['S', 'M'], type: 'given' },
      ],
    });

    expect(ending).toEqual(one);
    const profile = {
      email: 'john@doe.com',
      birthDate: '1986-08-19',
      emailOptIn: false,
      attributes: { Age: '31', 'Points earned': 78732, Since: '2018-09-15T18:29:00-0800', Sizes: ['S', 'M'] },
    };
    expect(calls).toEqual([['identify', 'johndoe', profile]]);
    expect(readRecord({ kind: 'user', id: idOf(1), userId: 'johndoe', ...profile }, false)).toMatchObject({
      ok: true,
      repairs: [],
    });
  });

  test('accepts a number as an id, and needs no profile', () => {
    expect(callOf({ tagType: 'identify', userId: 42 }).calls).toEqual([['identify', '42']]);
  });

  test('without an id describes the anonymous visitor', () => {
    const { calls } = callOf({ tagType: 'identify', profile: [{ name: 'firstName', value: 'Ada' }] });

    expect(calls).toEqual([['identify', { firstName: 'Ada' }]]);
  });

  test.each(['undefined', 'null', 'NaN', '[object Object]', '0', 0, true, 'x'.repeat(101), '\ud800'])(
    '%j is not an id and makes no call',
    (userId) => {
      // A value of another type leaves no id, and then there is nothing to say.
      expect(callOf({ tagType: 'identify', userId })).toMatchObject({ ending: failed, calls: [] });
    },
  );

  test('leaves out unknown fields and invalid values, and logs them', () => {
    const { calls, logged } = callOf({
      tagType: 'identify',
      userId: 'ada',
      profile: [
        { name: 'constructor', value: 'x' },
        { name: 'smsOptIn', value: 'perhaps' },
        { name: 'birthDate', value: '1990-02-30' },
      ],
      attributes: [{ name: 'Age', value: 'old', type: 'number' }],
    });

    expect(calls).toEqual([['identify', 'ada']]);
    expect(logged).toHaveLength(4);
  });
});

describe('track', () => {
  test('tracks an event with the properties of the table, each of its type', () => {
    const { ending, calls } = callOf({
      tagType: 'track',
      eventName: ' Video Watched ',
      properties: [
        { name: 'Seconds', value: '12.5', type: 'number' },
        { name: 'Ended', value: 'true', type: 'boolean' },
        { name: 'On', value: '2026-11-30', type: 'date' },
        { name: 'Nothing', value: undefined, type: 'text' },
        { name: 'Empty', value: '', type: 'given' },
      ],
    });

    expect(ending).toEqual(one);
    expect(calls).toEqual([
      ['track', 'Video Watched', { Seconds: 12.5, Ended: true, On: '2026-11-30T12:00:00+0000' }],
    ]);
  });

  test.each([
    undefined,
    '',
    ' ',
    'x'.repeat(50),
    'we_seen',
    'user_logged_in',
    'email_open',
    '\ud800',
    {},
    '__proto__',
  ])('a tag with the event name %j fails and tracks nothing', (eventName) => {
    expect(callOf({ tagType: 'track', eventName })).toMatchObject({ ending: failed, calls: [] });
  });

  test('leaves out a name that WebEngage does not accept, and a 26th attribute of a type', () => {
    const properties = Array.from({ length: 27 }, (_, at) => ({ name: `P${at}`, value: at, type: 'number' }));
    const { calls, logged } = callOf({
      tagType: 'track',
      eventName: 'Seen',
      properties: [
        { name: 'we_x', value: 1, type: 'number' },
        { name: 'x'.repeat(50), value: 1 },
        ...properties,
      ],
    });

    expect(Object.keys(calls[0]?.[2] ?? {})).toEqual(properties.slice(0, 25).map(({ name }) => name));
    expect(logged).toHaveLength(4);
  });

  test('cuts long text without splitting an emoji', () => {
    const text = `${'x'.repeat(998)}🙂`;
    const { calls } = callOf({
      tagType: 'track',
      eventName: 'Seen',
      properties: [{ name: 'Text', value: text, type: 'text' }],
    });

    expect(calls[0]?.[2]).toEqual({ Text: 'x'.repeat(998) });
  });
});

test('a list or an object keeps 100 entries', () => {
  const list = Array.from({ length: 101 }, (_, at) => at);
  const { calls } = callOf({
    tagType: 'track',
    eventName: 'Seen',
    properties: [
      { name: 'List', value: list, type: 'given' },
      { name: 'Map', value: { ...list }, type: 'given' },
    ],
  });

  expect(calls[0]?.[2]).toEqual({ List: list.slice(0, 100), Map: { ...list.slice(0, 100) } });
});

test('nested values keep six levels', () => {
  const deep = JSON.parse(`${'['.repeat(30)}1${']'.repeat(30)}`);
  const { calls } = callOf({
    tagType: 'track',
    eventName: 'Seen',
    properties: [{ name: 'Deep', value: deep, type: 'given' }],
  });

  expect(calls[0]?.[2]).toEqual({ Deep: [[[[[[]]]]]] });
});

describe('a date', () => {
  test.each([
    ['2018-09-15T18:29:00Z', '2018-09-15T18:29:00+0000'],
    ['2018-09-15T18:29:00.5+05:30', '2018-09-15T18:29:00+0530'],
    ['2018-09-15T18:29:00-0800', '2018-09-15T18:29:00-0800'],
    ['2024-02-29', '2024-02-29T12:00:00+0000'],
  ])('%s is %s', (value, date) => {
    const { calls } = callOf({
      tagType: 'track',
      eventName: 'Seen',
      properties: [{ name: 'At', value, type: 'date' }],
    });

    expect(calls[0]?.[2]).toEqual({ At: date });
  });

  test.each([
    '2023-02-29',
    '2018-09-15T18:29:00',
    '2018-09-15T25:00:00Z',
    '15.09.2018',
    'today',
    1_700_000_000_000,
  ])('%s is not a date and is left out', (value) => {
    const { calls } = callOf({
      tagType: 'track',
      eventName: 'Seen',
      properties: [{ name: 'At', value, type: 'date' }],
    });

    expect(calls[0]?.[2]).toEqual({});
  });
});

describe('a page view', () => {
  test('has no query and no hash, and only campaign parameters', () => {
    const { calls } = callOf(
      { tagType: 'pageView', properties: [{ name: 'Section', value: 'Cart', type: 'text' }] },
      { referrer: 'https://mail.example.com:8443/inbox?user=ada#top' },
    );

    expect(calls).toEqual([
      [
        'track',
        'Page Viewed',
        {
          URL: 'https://shop.example.com/cart',
          Path: '/cart',
          Title: 'A shop',
          Referrer: 'https://mail.example.com:8443/inbox',
          utm_source: 'mail',
          Section: 'Cart',
        },
      ],
    ]);
  });

  test('has no referrer if the visitor comes from nowhere', () => {
    expect(callOf({ tagType: 'pageView' }).calls[0]?.[2]).not.toHaveProperty('Referrer');
  });
});

test.each(['reset', 'optIn', 'optOut'])('%s makes its own call', (tagType) => {
  expect(callOf({ tagType })).toMatchObject({ ending: one, calls: [[tagType]] });
});

test.each([undefined, 'constructor', ''])('a tag of the type %j fails', (tagType) => {
  expect(callOf({ tagType })).toMatchObject({ ending: failed, calls: [] });
});
