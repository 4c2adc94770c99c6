import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import server from '../../../docs/guides/sending-from-a-server.md?raw';
import type { Delivery, Receipt } from '../../../src/edge/queue/ingest.ts';
import type { Env } from '../../../src/edge/worker.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';
import {
  batchOf,
  everyAnswer,
  newSession,
  OPERATOR,
  SERVER_TOKEN,
  SHOP,
  stalled,
  testRelay,
} from '../requests.ts';

const { request, post } = testRelay();
const outbox = relayEnv.OUTBOX.getByName('1/0');

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());
});

test('every answer has the security headers, whatever the request and its outcome', async () => {
  const answers = await everyAnswer();

  expect(new Set(answers.map(({ status }) => status))).toEqual(
    new Set([200, 202, 204, 400, 401, 403, 404, 405, 408, 413, 415, 503]),
  );
  for (const { headers, url, status } of answers) {
    const said = Object.fromEntries(headers);
    expect(said, `${status} ${url}`).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(Object.keys(said)).not.toContain('set-cookie');
    expect(Object.keys(said)).not.toContain('access-control-allow-credentials');
  }
});

describe('/admin is closed to other sites', () => {
  const ALL = { ALLOWED_ORIGINS: '*' };

  test('even if their pages may send: they change nothing and can read nothing', async () => {
    for (const Origin of [SHOP, 'null', 'http://127.0.0.1:8788', 'https://127.0.0.1:8787'])
      for (const [path, method] of [
        ['/admin/status', 'GET'],
        ['/admin/dead-letters', 'GET'],
        ['/admin/dead-letters/discard', 'POST'],
        ['/admin/status', 'OPTIONS'],
        ['/%61dmin/status', 'GET'],
      ] as const) {
        const body = method === 'POST' ? { body: '{"all":true}' } : {};
        const answer = await request(path, { method, headers: { ...OPERATOR, Origin }, ...body }, ALL);

        expect(answer.status).toBe(404);
        expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
  });

  test('but open to the relay’s own page, without CORS headers', async () => {
    const headers = { ...OPERATOR, Origin: 'http://127.0.0.1:8787' };

    const answer = await request(
      '/admin/dead-letters/replay',
      { method: 'POST', body: '{"ids":[]}', headers },
      ALL,
    );

    expect(answer.status).toBe(200);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  test('a wrong token is counted in the log once a minute, and the right one works meanwhile', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { request } = testRelay();
    const knock = async (Authorization: string) =>
      (await request('/admin/status', { headers: { Origin: '', Authorization } })).status;

    for (let tries = 0; tries < 20; tries++)
      expect(await knock('Bearer a-guess-that-must-not-be-logged')).toBe(404);

    expect(await knock(OPERATOR.Authorization)).toBe(200);
    expect(warned.mock.calls).toEqual([['{"event":"wrong_admin_token","times":1}']]);
  });
});

const ORDERS_TOKEN = 'the-token-of-the-order-service-1234';

/** An outbox that stores everything, unless the function returns another receipt. */
const outboxThat = (take: (delivery: Delivery) => unknown) => {
  const ingest = (_: string, delivery: Delivery) => {
    const receipt = take(delivery);
    return typeof receipt === 'object' ? receipt : { stored: true, accepted: 1, duplicates: 0 };
  };
  return { OUTBOX: { getByName: () => ({ ingest }) } as unknown as Env['OUTBOX'] };
};

test('a page can’t choose a lane: the field is ignored, whatever it holds', async () => {
  const taken: Delivery[] = [];
  const env = outboxThat((it) => taken.push(it));

  for (const lane of ['import', 'server', 'live', 7])
    expect(
      (await post({ ...batchOf(), lane }, { Authorization: `Bearer ${SERVER_TOKEN}` }, env)).status,
    ).toBe(202);

  expect(taken.map(({ lane, sender }) => [lane, sender])).toEqual(Array(4).fill(['live', undefined]));
});

describe('a server', () => {
  const asServer = (token: string, headers: Record<string, string> = {}) => ({
    Origin: '',
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    ...headers,
  });

  test('sends with its token as a page sends with its origin', async () => {
    const sent = batchOf();

    const answer = await post(sent, asServer(SERVER_TOKEN));

    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ accepted: 1, rejected: [] });
    expect(await (await post(sent, asServer(SERVER_TOKEN))).json()).toMatchObject({ duplicates: 1 });
  });

  test('may send for any user without an identity token, even if pages need one', async () => {
    const required = { IDENTITY: 'required', IDENTITY_KEY: 'a-shared-secret-of-32-bytes-long' };
    const sent = batchOf(eventRecord(1, { id: idOf(1, newSession()), userId: 'johndoe' }));

    expect((await post(sent, {}, required)).status).toBe(401);
    expect((await post(sent, asServer(SERVER_TOKEN), required)).status).toBe(202);
  });

  test('sends as the documentation shows', async () => {
    const [, command = '', body = ''] = /```sh\n(curl .*?) -d '(.*?)'\n```/s.exec(server) ?? [];
    const headers = Object.fromEntries(
      [...command.matchAll(/-H "(.*?): (.*?)"/g)].map(([, name, value]) => [name, value]),
    );

    const answer = await post(body, {
      ...headers,
      Authorization: headers.Authorization?.replace('$SERVER_TOKEN', SERVER_TOKEN) ?? '',
      Origin: '',
    });

    expect(await answer.json()).toEqual({
      response: { status: 'queued' },
      accepted: 2,
      duplicates: 0,
      rejected: [],
      repaired: [],
      now: expect.any(Number),
    });
  });

  test('sends in its own lane, or in that of imports, and under the name of its token', async () => {
    const taken: Delivery[] = [];
    const env = { SERVER_TOKENS: `orders=${ORDERS_TOKEN}`, ...outboxThat((it) => taken.push(it)) };
    const orders = asServer(ORDERS_TOKEN, { 'CF-Connecting-IP': '203.0.113.9' });

    expect((await post(batchOf(), orders, env)).status).toBe(202);
    expect((await post({ ...batchOf(), lane: 'import' }, orders, env)).status).toBe(202);
    expect((await post({ ...batchOf(), lane: 'server' }, asServer(SERVER_TOKEN), env)).status).toBe(202);

    expect(taken.map(({ lane, sender, network }) => [lane, sender, network])).toEqual([
      ['server', 'orders', undefined],
      ['import', 'orders', undefined],
      ['server', 'server', undefined],
    ]);
  });

  test.each(['live', 'Import', '', 1, null])('can’t send in the lane %j', async (lane) => {
    const answer = await post({ ...batchOf(), lane }, asServer(SERVER_TOKEN));

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { code: 'invalid_batch', message: 'lane must be server or import' },
    });
  });

  test('passes no quota of networks and of browsers, as often as it sends', async () => {
    const asked = vi.fn(async () => ({ success: false }));
    const env = { ADDRESS_LIMIT: { limit: asked }, ...outboxThat(() => {}) };
    const { post } = testRelay(env);
    const headers = asServer(SERVER_TOKEN, { 'CF-Connecting-IP': '203.0.113.9' });
    const sent = batchOf();

    const statuses = new Set<number>();
    // A browser has 600 requests a minute.
    for (let at = 0; at < 700; at++) statuses.add((await post(sent, headers)).status);

    expect([...statuses]).toEqual([202]);
    expect(asked).not.toHaveBeenCalled();
    expect((await post(sent, { 'CF-Connecting-IP': '203.0.113.9' })).status).toBe(429);
  });

  test('waits as long as its outbox says, and may then send with the same device at once', async () => {
    const receipts: Receipt[] = [
      { stored: false, retryInMs: 3_000 },
      { stored: true, accepted: 1, duplicates: 0 },
    ];
    const env = outboxThat(() => receipts.shift());
    const { post } = testRelay(env);
    const sent = batchOf();

    const answer = await post(sent, asServer(SERVER_TOKEN));

    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThanOrEqual(3);
    expect(Number(answer.headers.get('Retry-After'))).toBeLessThanOrEqual(6);
    // A browser would have to rest.
    expect((await post(sent, asServer(SERVER_TOKEN))).status).toBe(202);
  });

  test('is named in the log with what was not taken of it, once a minute', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const receipts: (Receipt | undefined)[] = [{ stored: false, retryInMs: 1 }, undefined, { stored: false }];
    const env = { SERVER_TOKENS: `orders=${ORDERS_TOKEN}`, ...outboxThat(() => receipts.shift()) };
    const { post } = testRelay(env);
    const bad = batchOf(eventRecord(1, { id: idOf(1, newSession()), eventName: 'we_own' }));

    for (const sent of [batchOf(), bad, batchOf()]) await post(sent, asServer(ORDERS_TOKEN));
    await post(batchOf(), asServer(SERVER_TOKEN));

    expect(warned.mock.calls.flat()).toEqual([
      '{"event":"server_refused","sender":"orders","limited":1}',
      '{"event":"server_refused","sender":"server","full":1}',
    ]);
    // The rest is in the next line of that server.
    const later = Date.now() + 61_000;
    vi.spyOn(Date, 'now').mockReturnValue(later);
    await post(bad, asServer(ORDERS_TOKEN));
    expect(warned.mock.calls.flat().at(-1)).toBe(
      '{"event":"server_refused","sender":"orders","rejected":2,"full":1}',
    );
  });

  test.each([
    ['a wrong token', asServer('a-server-token-of-wrong-characters'), 401, 'invalid_token'],
    ['the ADMIN_TOKEN', asServer(relayEnv.ADMIN_TOKEN ?? ''), 401, 'invalid_token'],
    ['none', { Origin: '' }, 403, 'origin_not_allowed'],
  ])('is refused with %s', async (_, headers, status, code) => {
    const answer = await post(batchOf(), headers);

    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });

  test('is refused if no token is set, whatever it sends', async () => {
    for (const token of [SERVER_TOKEN, 'undefined', ''])
      expect((await post(batchOf(), asServer(token), { SERVER_TOKEN: '' })).status).toBe(401);
  });

  test('has no access to the admin API', async () => {
    expect((await request('/admin/status', { headers: asServer(SERVER_TOKEN) })).status).toBe(404);
  });

  test('is not a page: the preflight of a page that uses the token forbids it', async () => {
    const preflight = await request('/v1/batch', {
      method: 'OPTIONS',
      headers: { 'Access-Control-Request-Headers': 'authorization' },
    });

    expect(preflight.headers.get('Access-Control-Allow-Headers')).toBe('Content-Type');
  });
});

describe('a body that is refused as a whole', () => {
  const good = JSON.stringify(batchOf());
  const utf16 = (text: string) => new Uint8Array(Uint16Array.from(text, (char) => char.charCodeAt(0)).buffer);

  test.each([
    ['empty', ''],
    ['whitespace', ' \n'],
    ['a leading byte order mark', `\ufeff${good}`],
    ['UTF-16', utf16(good)],
    ['UTF-16 with a byte order mark', utf16(`\ufeff${good}`)],
    ['trailing text', `${good}{}`],
    ['a trailing comma', good.replace('}]}', '},]}')],
    ['a comment', `/**/${good}`],
    ['NaN', good.replace('1337', 'NaN')],
    ['Infinity', good.replace('1337', 'Infinity')],
    ['a field twice', good.replace('{"v":1', '{"v":1,"v":1')],
    ['a device twice', good.replace('"device"', `"device":"${crypto.randomUUID()}","device"`)],
    ['“__proto__” in the batch', good.replace('{"v":1', '{"__proto__":{"v":1}')],
    ['excessive nesting', '['.repeat(65_000)],
    ['too many values', `[${'0,'.repeat(60_000)}0]`],
  ])('%s', async (_, body) => {
    const answer = await post(body);

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'invalid_batch' } });
  });

  test.each(['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip', 'x'])('%s', async (encoding) => {
    const answer = await post(batchOf(), { 'Content-Encoding': encoding });

    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ error: { code: 'unsupported_media_type' } });
  });

  test.each(['identity', 'Identity'])('but not for %s, which is no encoding', async (encoding) => {
    expect((await post(batchOf(), { 'Content-Encoding': encoding })).status).toBe(202);
  });

  test.each([
    ['multipart', 'multipart/form-data; boundary=x'],
    ['several types', 'text/plain, application/json'],
    ['another text type', 'text/html'],
    ['another JSON type', 'application/ld+json'],
    ['none', ''],
  ])('%s', async (_, type) => {
    expect((await post(batchOf(), { 'Content-Type': type })).status).toBe(415);
  });

  test('is answered 408 if it never ends, which costs a tracker no record', async () => {
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());

    const answer = await post(stalled());

    expect(AbortSignal.timeout).toHaveBeenCalledWith(10_000);
    expect(answer.status).toBe(408);
    expect(await answer.json()).toMatchObject({ error: { code: 'too_slow' } });
  });
});

test('a body of an unknown protocol version must be kept, whatever else it contains', async () => {
  for (const body of [
    { ...batchOf(), v: 2 },
    { ...batchOf(), v: '1' },
    { v: 3, items: {} },
    { ...batchOf(), v: null },
  ]) {
    const answer = await post(body);

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'unsupported_version' } });
  }
  expect(await (await post({ ...batchOf(), v: undefined })).json()).toMatchObject({
    error: { code: 'invalid_batch', message: 'v is required' },
  });
});

test('an unknown field of the envelope is ignored', async () => {
  expect((await post({ ...batchOf(), constructor: 1, compress: { as: 'br' } })).status).toBe(202);
});

test('every JSON answer to a batch, including errors, tells the relay’s clock', async () => {
  const full = { OUTBOX: { getByName: () => ({ ingest: () => ({ stored: false }) }) } as never };
  const over = { ADDRESS_LIMIT: { limit: async () => ({ success: false }) } };
  const startedAt = Date.now();

  const answers = [
    await post(batchOf()),
    await post('{'),
    await post({ ...batchOf(), v: 2 }),
    await post(batchOf(), { Origin: 'https://evil.example' }),
    await post(batchOf(), { Authorization: 'Bearer x', Origin: '' }),
    await request('/v1/batch', { method: 'PUT' }),
    await post(' '.repeat(131_073)),
    await post(batchOf(), { 'Content-Type': 'text/html' }),
    await post(batchOf(), { 'CF-Connecting-IP': '203.0.113.9' }, over),
    await testRelay().post(batchOf(), {}, full),
    await post(batchOf(), {}, { WEBENGAGE_LICENSE_CODE: '' }),
    await testRelay().post(batchOf(), {}, { OUTBOX: {} as never }),
  ];

  expect(answers.map(({ status }) => status)).toEqual([
    202, 400, 400, 403, 401, 405, 413, 415, 429, 503, 503, 503,
  ]);
  for (const answer of answers) {
    const { now } = await answer.json<{ now: number }>();
    expect(Number.isInteger(now)).toBe(true);
    expect(now).toBeGreaterThanOrEqual(startedAt);
    expect(now).toBeLessThanOrEqual(Date.now());
  }
});

describe('a preflight', () => {
  const allowedFor = async (requested?: string) => {
    const headers = requested === undefined ? {} : { 'Access-Control-Request-Headers': requested };
    const answer = await request('/v1/batch', { method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('Access-Control-Allow-Credentials')).toBeNull();
    return answer.headers.get('Access-Control-Allow-Headers');
  };

  test('allows the headers that the page’s own fetch adds, and always Content-Type', async () => {
    expect(await allowedFor()).toBe('Content-Type');
    expect(await allowedFor('content-type')).toBe('Content-Type');
    expect(await allowedFor('x-app-version')).toBe('Content-Type, x-app-version');
    expect(await allowedFor('content-type,sentry-trace, baggage')).toBe(
      'Content-Type, sentry-trace, baggage',
    );
  });

  test.each([
    '*',
    'authorization',
    'Authorization',
    'cookie',
    '',
    ',',
    'x y',
    'x:y',
    'x-a,,x-b',
    'x-ä',
    '"x"',
    'x'.repeat(1_001),
  ])('allows nothing more for %j', async (requested) => {
    expect(await allowedFor(requested)).toBe('Content-Type');
  });
});

describe('a value that JSON allows and the contract does not costs its own record alone', () => {
  const rejected = async (value: string, field = '"eventData":{"a":§}') => {
    const event = JSON.stringify(eventRecord(1, { id: idOf(1, newSession()) }));
    const data = /"eventData":\{.*?\}/.exec(event)?.[0] ?? '';
    const bad = event.replace(data, field.replace('§', value));
    const neighbour = JSON.stringify(eventRecord(2, { id: idOf(2, newSession()) }));
    const body = JSON.stringify(batchOf(0)).replace('[0]', `[${bad},${neighbour}]`);
    const answer = await (await post(body)).json<{ accepted: number; rejected: { issues: unknown[] }[] }>();
    return { accepted: answer.accepted, issues: answer.rejected[0]?.issues };
  };

  test.each([
    ['a number that is too large', '1e400'],
    ['a number that is too small', '-1e400'],
    ['null', 'null'],
    ['half of a surrogate pair', '"\\ud800"'],
    ['a surrogate pair in the wrong order', '"\\udc00\\ud800"'],
    ['half a surrogate pair in a name', '{"\\ud800":1}'],
  ])('%s', async (_, value) => {
    expect(await rejected(value)).toMatchObject({ accepted: 1, issues: [{}] });
  });

  test.each(['-0', '1E308', '5e-324', '12345678901234567890'])(
    'but %s is a number, as in JavaScript',
    async (value) => {
      expect(await rejected(value)).toEqual({ accepted: 2, issues: undefined });
    },
  );

  test('an age that is too large or negative', async () => {
    for (const age of ['1e400', '-1', '0.5'])
      expect(await rejected(age, '"eventData":{},"age":§')).toMatchObject({
        accepted: 1,
        issues: [{ path: 'age' }],
      });
  });

  test.each([
    ['a field twice, once escaped', '"eventData":{"Pr\\u0069ce":1,"Price":§}', 'eventData.Price'],
    ['“__proto__” in the data', '"eventData":{"__proto__":§}', 'eventData.__proto__'],
    ['“__proto__” in the record', '"__proto__":§', '__proto__'],
    ['excessive nesting', `"eventData":{"a":${'['.repeat(40)}§${']'.repeat(40)}}`, ''],
    ['too many values', `"eventData":{"a":[${'0,'.repeat(3_000)}§]}`, ''],
  ])('%s', async (_, field, path) => {
    expect(await rejected('1', field)).toMatchObject({ accepted: 1, issues: [{ path }] });
  });
});

test('attributes named like members of every object reach WebEngage unchanged', async () => {
  const eventData = {
    constructor: 'Bob & Sons',
    prototype: { toString: 1, valueOf: [true], constructor: { prototype: 'x' } },
    hasOwnProperty: 1e308,
    isPrototypeOf: 5e-324,
  } as never;
  const bodies: string[] = [];
  vi.stubGlobal('fetch', async (call: Request) => {
    bodies.push(await call.text());
    return Response.json({ response: { status: 'queued' } });
  });

  expect((await post(batchOf(eventRecord(1, { id: idOf(1, newSession()), eventData })))).status).toBe(202);
  await vi.waitFor(
    async () => {
      await runDurableObjectAlarm(outbox);
      expect(bodies.join()).toContain(JSON.stringify(eventData));
    },
    { timeout: 10_000 },
  );
  // And nothing here has become anything else by it.
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { valueOf: unknown }).valueOf).toBe(Object.prototype.valueOf);
});
