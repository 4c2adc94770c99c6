import { describe, expect, test } from 'vitest';
import { batchOf, newSession } from '../edge/asked.ts';
import { eventRecord, idOf, userRecord } from '../fakes/records.ts';
import { attack, expectNoHarm, onGuard, recordsKept } from './ground.ts';

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
          rejected: [
            { id: expect.any(String), issues: expect.arrayContaining([expect.objectContaining({ path })]) },
          ],
        });
      },
      recordsKept,
    );
  });
}

describe('8: a record that is none', () => {
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
    ['a user with an event’s name', 'eventName', user({ eventName: 'x' })],
    ['an event with a user’s e-mail', 'email', event({ email: 'a@b.c' })],
    ...[
      'admin',
      'role',
      'licenseCode',
      'Authorization',
      'constructor',
      'toString',
      'hasOwnProperty',
      'valueOf',
    ].map((field): Row => [`with a field ${field}`, field, named(field, '1')]),
    ['with a field of no name', '', named('', '1')],
  ]);
});

describe('16, 17: an id that is none', () => {
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

describe('14: a user that is not quite one', () => {
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

describe('8: a name or value that WebEngage would drop, or mix with its own', () => {
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

describe('18: a time that is none', () => {
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
    ['an age of more than seven days', 'age', event({ age: 604_801 })],
    ['an age beyond all', 'age', event({ age: 'x' }).replace('"x"', '1e400')],
    ['an age that is almost beyond all', 'age', event({ age: 1e308 })],
  ]);
});
