import { describe, expect, test } from 'vitest';
import { batchOf, newSession } from '../edge/requests.ts';
import { eventRecord, idOf, userRecord } from '../fakes/records.ts';
import { attack, expectNoHarm, onGuard, recordsKept } from './harness.ts';

// Batches that are let in, and records in them that are not.

const guard = onGuard();

/** A row: what is wrong, where the answer says so, and the record, in JSON so that it can be what no object can. */
type Row = readonly [name: string, path: string, record: string];

const event = (fields: object = {}) =>
  JSON.stringify({ ...eventRecord(1, { id: idOf(1, newSession()) }), ...fields });
const user = (fields: object = {}) =>
  JSON.stringify({ ...userRecord(1, { id: idOf(1, newSession()) }), ...fields });
const data = (eventData: object) => event({ eventData });
/** With a value written as JSON, which `JSON.stringify` would not write so. */
const raw = (value: string) => event({ eventData: { a: 1 } }).replace('{"a":1}', `{"a":${value}}`);
const named = (field: string, value: string) =>
  event().replace('"kind"', `${JSON.stringify(field)}:${value},"kind"`);

function holds(rows: readonly Row[]): void {
  test.each(rows)('%s', async (_, path, record) => {
    await expectNoHarm(
      guard,
      async () => {
        const body = JSON.stringify({ ...batchOf(), records: ['§'] }).replace('"§"', record);
        const answer = await attack({ body });

        expect(answer.status).toBe(202);
        expect(JSON.parse(answer.text)).toEqual({
          response: { status: 'queued' },
          accepted: 0,
          duplicates: 0,
          repaired: [],
          now: expect.any(Number),
          rejected: [
            { id: expect.any(String), issues: expect.arrayContaining([expect.objectContaining({ path })]) },
          ],
        });
      },
      recordsKept,
    );
  });
}

describe('8: a value that is not a record', () => {
  holds([
    ['null', '', 'null'],
    ['a number', '', '1'],
    ['text', '', '"record"'],
    ['an array', 'kind', '[]'],
    ['a batch', 'kind', JSON.stringify(batchOf())],
    ['arrays in each other', 'kind', `${'['.repeat(20)}${']'.repeat(20)}`],
    ['of no kind', 'kind', event({ kind: undefined })],
    ['of another kind', 'kind', event({ kind: 'users' })],
    ['of two kinds', 'kind', event({ kind: ['user', 'event'] })],
    ['with a prototype', '__proto__', named('__proto__', '{"admin":true}')],
    [
      'with a prototype in its data, in disguise',
      'eventData.__proto__',
      data({ x: 1 }).replace('"x"', '"__pr\\u006fto__"'),
    ],
    [
      'with a user twice, once in disguise',
      'userId',
      named('userId', '"eve"').replace('"userId"', '"user\\u0049d"'),
    ],
    ['with its id twice', 'id', named('id', '"x"')],
    ['with a kind twice', 'kind', named('kind', '"user"')],
    ['31 levels deep', '', raw(`${'['.repeat(29)}${']'.repeat(29)}`)],
    ['60,000 levels deep', '', raw(`${'['.repeat(60_000)}${']'.repeat(60_000)}`)],
    ['of too many values', '', raw(`[${'0,'.repeat(2_500)}0]`)],
    ['of 60,000 values', '', raw(`[${'0,'.repeat(60_000)}0]`)],
  ]);
});

describe('16, 17: an invalid id', () => {
  const withId = (id: unknown): Row => [JSON.stringify(id).slice(0, 60), 'id', event({ id })];
  const session = newSession();
  holds([
    ['none', 'id', event({ id: undefined })],
    ...[
      null,
      7,
      ['a'],
      { toString: 'a' },
      '',
      session,
      `${session}.`,
      `${session}.0`,
      `${session}.-1`,
      `${session}.+1`,
      `${session}.01`,
      `${session}.1.5`,
      `${session}.1e3`,
      `${session}.0x1`,
      `${session}. 1`,
      `${session}.1 `,
      `${session}.1\n`,
      `${session}.١`,
      `${session}.１`,
      `${session}.1000000000000000`,
      `${session}.${'9'.repeat(400)}`,
      `${session}.9007199254740993`,
      `${session.slice(1)}.1`,
      `${session}x.1`,
      `${session.slice(1)} .1`,
      `${session.slice(1)}'.1`,
      `${session.slice(1)}é.1`,
      `../${session.slice(3)}.1`,
      `${session}.1-999999`,
      `${session}.1,2`,
      "' OR 1=1; DROP TABLE run; --.1",
    ].map(withId),
  ]);
});

describe('14: an invalid user', () => {
  holds([
    ...[
      7,
      true,
      null,
      ['johndoe'],
      { toString: 'johndoe' },
      { $ne: null },
      '',
      'x'.repeat(101),
      '\ud83d',
    ].map((userId): Row => [JSON.stringify(userId).slice(0, 40), 'userId', event({ userId })]),
    ['a number beyond all', 'userId', event({ userId: 'x' }).replace('"x"', '1e400')],
    ['nobody', 'userId', event({ userId: undefined })],
    ['an anonymous visitor who is a number', 'anonymousId', event({ userId: undefined, anonymousId: 1 })],
    ['johndoe, and an anonymous visitor who is null', 'anonymousId', event({ anonymousId: null })],
  ]);
});

describe('8: a name or value that WebEngage would drop or mix with its own', () => {
  holds([
    ['no event name', 'eventName', event({ eventName: '' })],
    ['an event name of 50 characters', 'eventName', event({ eventName: 'e'.repeat(50) })],
    ['an event name that is an object', 'eventName', event({ eventName: { toString: 'x' } })],
    ...['we_x', 'user_logged_in', 'app_installed', 'email_open', 'sms_sent', 'notification_click'].map(
      (eventName): Row => [`the event ${eventName}`, 'eventName', event({ eventName })],
    ),
    ['an attribute of the system’s', 'eventData.we_email', data({ we_email: 'a@b.c' })],
    [
      'a user’s attribute of the system’s',
      'attributes.we_email',
      user({ attributes: { we_email: 'a@b.c' } }),
    ],
    ['an attribute name of 50 characters', `eventData.${'a'.repeat(50)}`, data({ ['a'.repeat(50)]: 1 })],
    ['an attribute without a name', 'eventData.', data({ '': 1 })],
    ['text of 1,000 characters', 'eventData.a', data({ a: 'x'.repeat(1_000) })],
    ['text of 60,000 characters', 'eventData.a', data({ a: 'x'.repeat(60_000) })],
    ['text of 1,000 characters, deep within', 'eventData.a.b.0', data({ a: { b: ['x'.repeat(1_000)] } })],
    [
      '26 numbers',
      'eventData.n25',
      data(Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`n${n}`, n]))),
    ],
    [
      '17 levels',
      `eventData.${['a', ...Array(15).fill(0)].join('.')}`,
      raw(`${'['.repeat(17)}${']'.repeat(17)}`),
    ],
    ['attributes that are an array', 'eventData', event({ eventData: [1] })],
    ['attributes that are text', 'eventData', event({ eventData: 'x' })],
    ['null', 'eventData.a', raw('null')],
    ['null, deep within', 'eventData.a.0.b', raw('[{"b":null}]')],
    ['1e400', 'eventData.a', raw('1e400')],
    ['-1e400, deep within', 'eventData.a.0', raw('[-1e400]')],
    ['half of a pair', 'eventData.a', raw('"\\ud800"')],
    ['a pair the wrong way round', 'eventData.a', raw('"\\udc00\\ud800"')],
    ['a name with half of a pair, deep within', 'eventData.a', raw('{"\\udfff":1}')],
    [
      '17 KB of a user’s objects',
      'attributes.a',
      user({ attributes: { a: Array(20).fill('x'.repeat(900)) } }),
    ],
    ['65 KB of an event’s objects', 'eventData.a', data({ a: Array(70).fill('x'.repeat(950)) })],
    ['a phone with an order in it', 'phone', user({ phone: '+4989123456\r\nX-Evil: 1' })],
    ['a fourth gender of WebEngage’s', 'gender', user({ gender: 'Male' })],
    ['an opt-in that is text', 'emailOptIn', user({ emailOptIn: 'true' })],
    ['an opt-in that is 1', 'smsOptIn', user({ smsOptIn: 1 })],
  ]);
});

describe('18: an invalid time', () => {
  const time = (eventTime: unknown): Row => [JSON.stringify(eventTime), 'eventTime', event({ eventTime })];
  holds([
    ...[
      1_795_000_000_000,
      null,
      '',
      'now',
      '2018-09-15',
      '2018-09-15T18:29:00Z',
      '2018-09-15T18:29:00-08:00',
      '2018-09-15T18:29:00.000-0800',
      '2018-02-30T18:29:00-0800',
      '2018-09-15T24:00:00-0800',
      '2018-09-15T18:29:60-0800',
      '2018-09-15T18:29:00-1900',
      '2018-09-15T18:29:00-0860',
      '+12018-09-15T18:29:00-0800',
      '２018-09-15T18:29:00-0800',
      '2018-09-15T18:29:00-0800\n',
      '2018-09-15 18:29:00-0800',
    ].map(time),
    ['an age before the making', 'age', event({ age: -1 })],
    ['half an age', 'age', event({ age: 0.5 })],
    ['an age in words', 'age', event({ age: '42' })],
    ['an age of more than seven days', 'age', event({ age: 604_800_001 })],
    ['an age beyond all', 'age', event({ age: 'x' }).replace('"x"', '1e400')],
    ['an age that is almost beyond all', 'age', event({ age: 1e308 })],
  ]);
});

describe('31: an unknown field', () => {
  const fields = [
    'admin',
    'role',
    'host',
    'licenseCode',
    'Authorization',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'email',
    '',
  ];

  test.each(fields)('%j is left out, and its record is reported', async (field) => {
    const record = named(field, '"canary-of-no-list"');
    const body = JSON.stringify({ ...batchOf(), records: ['§'] }).replace('"§"', record);

    const answer = await attack({ body });

    expect(JSON.parse(answer.text)).toMatchObject({
      accepted: 1,
      repaired: [{ path: field, rule: 'is not a field of an event', done: 'left_out' }],
    });
    expect(await recordsKept()).not.toContain('canary-of-no-list');
  });

  test.each(['constructor', 'admin', 'host', 'licenseCode'])(
    '%s of the envelope is left out too',
    async (field) => {
      const answer = await attack({ body: JSON.stringify({ ...batchOf(), [field]: 'canary-of-no-list' }) });

      expect(answer.status).toBe(202);
      expect(await recordsKept()).not.toContain('canary-of-no-list');
    },
  );
});

describe('31: a record that is wrong everywhere', () => {
  const wrong = {
    phone: '+4989123456\r\nX-Evil: 1',
    gender: 'Male',
    emailOptIn: 'true',
    birthDate: '2018-02-30',
    age: -1,
    attributes: {
      we_email: 'a@b.c',
      long: 'x'.repeat(5_000),
      deep: JSON.parse('['.repeat(20) + ']'.repeat(20)),
    },
  };
  const sent = (fields: object) => {
    const record = userRecord(1, { id: idOf(1, newSession()) });
    return JSON.stringify({ ...batchOf({ ...record, ...wrong }), ...fields });
  };

  test('is refused by default, and repaired for a lenient sender', async () => {
    expect(JSON.parse((await attack({ body: sent({}) })).text)).toMatchObject({ accepted: 0, repaired: [] });
    expect(JSON.parse((await attack({ body: sent({ lenient: true }) })).text)).toMatchObject({
      accepted: 1,
      rejected: [],
      repaired: [
        { path: 'birthDate' },
        { path: 'gender' },
        { path: 'phone' },
        { path: 'attributes.we_email' },
        { path: 'attributes.long', done: 'cut' },
        { path: expect.stringMatching(/^attributes\.deep\.0/) },
        { path: 'emailOptIn' },
        { path: 'age' },
      ],
    });
  });

  test('costs its neighbour nothing', async () => {
    const good = eventRecord(2, { id: idOf(2, newSession()) });
    const body = JSON.stringify({ ...batchOf('§', good), lenient: true }).replace('"§"', '{"a":1,"a":2}');

    expect(JSON.parse((await attack({ body })).text)).toMatchObject({
      accepted: 1,
      rejected: [{ id: 'records[0]', issues: [{ path: 'a', message: 'must be given only once' }] }],
    });
  });
});

test('the answer to a thousand repairs is not many times as large as the request', async () => {
  const session = newSession();
  const bad = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`we_${n}`, 1]));
  const records = Array.from({ length: 400 }, (_, n) => ({
    kind: 'event',
    id: idOf(n + 1, session),
    anonymousId: 'a',
    eventName: 'e',
    eventData: bad,
  }));
  const body = JSON.stringify({ ...batchOf(...records), lenient: true });

  const answer = await attack({ body });

  expect(JSON.parse(answer.text)).toMatchObject({ accepted: 400 });
  expect(answer.text.length).toBeLessThan(2 * body.length);
});
