import { runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, test } from 'vitest';
import { gateOf } from '../../src/edge/durable-objects/rate-gate.ts';
import { relayEnv } from '../fakes/outbox.ts';
import { eventRecord } from '../fakes/records.ts';
import { type Attack, attack, expectNoHarm, onGuard, outbox, SECRETS } from './harness.ts';

// 20: the operator's door, without the token; and with it, the orders that are none.

const guard = onGuard();

const OPERATOR = { Authorization: `Bearer ${SECRETS.ADMIN_TOKEN}`, Origin: '' };

/** A dead letter that is to be there after each attack, as it was. */
beforeAll(async () => {
  await gateOf(relayEnv).enrolOutbox('1/0');
  await runInDurableObject(outbox, (_, { storage }) => {
    storage.sql.exec(
      `INSERT INTO dead (device, kind, accepted_at, given_up_at, status, attempts, proven, words, record)
       VALUES ('a', 'event', 1, 1, 400, 1, 1, 'no', ?)`,
      JSON.stringify(eventRecord(1)),
    );
  });
  await attack({ path: '/admin/status', method: 'GET', headers: OPERATOR });
});

test('the token gives access', async () => {
  const answer = await attack({ path: '/admin/dead-letters', method: 'GET', headers: OPERATOR });

  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text).deadLetters).toHaveLength(1);
});

test('each action with it is a line in the log, with a number and no id', async () => {
  const order = { path: '/admin/dead-letters/discard', headers: OPERATOR, body: '{"ids":["1/0:999"]}' };

  await attack(order);

  expect(guard.logged()).toBe(JSON.stringify([['{"event":"dead_letters","discarded":0}']]));
});

describe('the admin API does not exist for a request with', () => {
  const token = SECRETS.ADMIN_TOKEN;
  const orders: readonly (Attack & { readonly path: string })[] = [
    { path: '/admin/status', method: 'GET' },
    { path: '/admin/dead-letters', method: 'GET' },
    { path: '/admin/dead-letters.ndjson', method: 'GET' },
    { path: '/admin/dead-letters/discard', body: '{"all":true}' },
    { path: '/admin/dead-letters/replay', body: '{"all":true}' },
  ];
  const expectShut = ({ headers, env = {} }: Attack, query = '') =>
    expectNoHarm(guard, async () => {
      for (const order of orders) {
        const sent = { ...order, path: order.path + query, headers: { Origin: '', ...headers }, env };
        expect(await attack(sent)).toMatchObject({ status: 404, text: expect.stringContaining('not_found') });
      }
    });

  const shown: readonly (readonly [string, Record<string, string>])[] = [
    ['nothing', {}],
    ['an empty token', { Authorization: 'Bearer ' }],
    ['a short token', { Authorization: 'Bearer x' }],
    ['a wrong token', { Authorization: `Bearer ${'x'.repeat(38)}` }],
    ['a prefix of the token', { Authorization: `Bearer ${token.slice(0, -1)}` }],
    ['the token with a character more', { Authorization: `Bearer ${token}0` }],
    ['the token in capitals', { Authorization: `Bearer ${token.toUpperCase()}` }],
    ['the token without a scheme', { Authorization: token }],
    ['the token with another scheme', { Authorization: `Basic ${btoa(`admin:${token}`)}` }],
    ['the token twice', { Authorization: `Bearer ${token}, Bearer ${token}` }],
    ['the token after a NUL', { Authorization: `Bearer %00${token}` }],
    ['the token in a cookie', { Cookie: `ADMIN_TOKEN=${token}; Authorization=Bearer ${token}` }],
    [
      'the token in other headers',
      { 'X-Authorization': `Bearer ${token}`, 'Proxy-Authorization': `Bearer ${token}` },
    ],
    ['the token from a page of the shop', { ...OPERATOR, Origin: 'https://shop.example.com' }],
    ['the token from a page without an origin', { ...OPERATOR, Origin: 'null' }],
    ['the token from a page on a neighbouring port', { ...OPERATOR, Origin: 'http://127.0.0.1:8788' }],
    ['the servers’ token', { Authorization: `Bearer ${SECRETS.SERVER_TOKEN}` }],
    ['WebEngage’s key', { Authorization: `Bearer ${SECRETS.WEBENGAGE_API_KEY}` }],
  ];
  test.each(shown)('%s', (_, headers) => expectShut({ headers }));

  test.each([`?token=${token}`, `?Authorization=Bearer%20${token}`, `?access_token=${token}`])(
    'the token in the query, as %s',
    (query) => expectShut({}, query),
  );

  test.each(['', 'undefined', 'null', 'hunter2', 'a'.repeat(40)])(
    'a token that is set but empty or guessable: %s',
    (ADMIN_TOKEN) =>
      expectShut({ headers: { Authorization: `Bearer ${ADMIN_TOKEN}` }, env: { ADMIN_TOKEN } }),
  );
});

describe('with the token, the API refuses a selection by', () => {
  const selections: readonly (readonly [string, string | Uint8Array])[] = [
    ['nothing', ''],
    ['null', 'null'],
    ['`all` other than true', '{"all":1}'],
    ['`all` as a string', '{"all":"true"}'],
    ['`all` and `ids`', '{"all":true,"ids":["1/0:1"]}'],
    ['an additional field', '{"all":true,"force":true}'],
    ['a prototype', '{"__proto__":{"all":true}}'],
    ['ids that are not a list', '{"ids":"1/0:1"}'],
    ['a nested list', '{"ids":[["1/0:1"]]}'],
    ['numbers', '{"ids":[1]}'],
    ['an object', '{"ids":[{"toString":"1/0:1"}]}'],
    ['a condition', '{"ids":["1/0:1 OR 1=1"]}'],
    ['an SQL statement', '{"ids":["1/0:1); DROP TABLE dead; --"]}'],
    ['a wildcard', '{"ids":["1/0:%"]}'],
    ['a number in exponent notation', '{"ids":["1/0:1e0"]}'],
    ['a negative number', '{"ids":["1/0:-1"]}'],
    ['a number that is too large', `{"ids":["1/0:${'9'.repeat(16)}"]}`],
    ['digits of another script', '{"ids":["1/0:１"]}'],
    ['two lines', '{"ids":["1/0:1\\n"]}'],
    ['a path', '{"ids":["../1/0:1"]}'],
    ['a number without an outbox', '{"ids":["1"]}'],
    ['one bad id among good ones', '{"ids":["1/0:1","x"]}'],
    ['501 ids', JSON.stringify({ ids: Array(501).fill('1/0:1') })],
    ['a body that is too long', JSON.stringify({ ids: ['1/0:1'], all: ' '.repeat(70_000) })],
    ['excessive nesting', '['.repeat(60_000)],
    ['invalid UTF-8', new Uint8Array([0xff, 0xfe, 0x7b])],
  ];

  test.each(selections)('%s', async (_, body) => {
    await expectNoHarm(guard, async () => {
      for (const deed of ['replay', 'discard']) {
        const order = { path: `/admin/dead-letters/${deed}`, headers: OPERATOR, body };
        expect(await attack(order)).toMatchObject({
          status: 400,
          text: expect.stringContaining('invalid_request'),
        });
      }
    });
  });

  test('ids of dead letters or outboxes that do not exist', async () => {
    await expectNoHarm(guard, async () => {
      for (const id of ['1/0:0', '1/0:999999999999999', '1/1:1', '64/63:1', '99/99:1', '9/0:1']) {
        const order = {
          path: '/admin/dead-letters/discard',
          headers: OPERATOR,
          body: JSON.stringify({ ids: [id] }),
        };
        expect((await attack(order)).text).toBe('{"discarded":0}');
      }
    });
  });

  test.each([
    '?limit=0',
    '?limit=-1',
    '?limit=501',
    '?limit=1e9',
    '?limit=NaN',
    '?limit=Infinity',
    '?limit=1.5',
    '?limit=1;DROP TABLE dead',
    '?limit[]=1',
    "?after=1/0:1'--",
    '?after=1',
    '?after=99/99:1',
    '?after=__proto__',
  ])('a page by %s', async (query) => {
    await expectNoHarm(guard, async () => {
      const answer = await attack({ path: `/admin/dead-letters${query}`, method: 'GET', headers: OPERATOR });
      // What is in no list is not looked at; all else is refused.
      if (query === '?limit[]=1') expect(answer.status).toBe(200);
      else expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('invalid_request') });
    });
  });

  test('other methods than its own', async () => {
    await expectNoHarm(guard, async () => {
      for (const [method, path] of [
        ['GET', '/admin/dead-letters/discard'],
        ['DELETE', '/admin/dead-letters'],
        ['PUT', '/admin/status'],
        ['POST', '/admin/status'],
        ['TRACE', '/admin/status'],
        ['POST', '/admin/../admin/dead-letters'],
        ['POST', '/admin/dead-letters/discard/'],
        ['POST', '/admin//dead-letters/discard'],
      ] as const)
        expect((await attack({ path, method, headers: OPERATOR })).status).toBe(404);
    });
  });
});
