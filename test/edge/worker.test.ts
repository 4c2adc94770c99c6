import { createExecutionContext, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import operating from '../../docs/guides/operating.md?raw';
import type { Answer } from '../../src/contract/answer.ts';
import type { Env } from '../../src/edge/worker.ts';
import worker, { createRelay } from '../../src/edge/worker.ts';
import { relayEnv } from '../fakes/outbox.ts';
import { ADDED_TO_CART, eventRecord, idOf, JOHN, userRecord } from '../fakes/records.ts';
import { batchOf, newSession, SHOP, testRelay } from './requests.ts';

const relay = createRelay();
const { request, post } = testRelay();
const outbox = relayEnv.OUTBOX.getByName('1/0');

afterEach(async () => {
  vi.unstubAllGlobals();
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());
});

function batch(records?: readonly unknown[], fields: object = {}) {
  return { ...batchOf(), ...(records && { records }), ...fields };
}

describe('POST /v1/batch', () => {
  test('accepts new records once and accounts for every record', async () => {
    const session = newSession();
    const sent = batch([
      userRecord(1, { id: idOf(1, session) }),
      eventRecord(2, { id: idOf(2, session) }),
      eventRecord(3, { id: idOf(3, session), eventName: 'we_bought' }),
    ]);

    const first = await post(sent);
    const again = await post(sent);

    expect(first.status).toBe(202);
    expect(await first.json<Answer>()).toEqual({
      response: { status: 'queued' },
      accepted: 2,
      duplicates: 0,
      rejected: [
        { id: idOf(3, session), issues: [{ path: 'eventName', message: 'must not start with we_' }] },
      ],
      repaired: [],
      now: expect.any(Number),
    });
    expect(await again.json<Answer>()).toMatchObject({ accepted: 0, duplicates: 2, rejected: [{}] });
  });

  test('accepts application/json too', async () => {
    expect((await post(batch(), { 'Content-Type': 'application/json; charset=utf-8' })).status).toBe(202);
  });

  test('answers the same, headers included, if the URL has a query', async () => {
    const answers = (path: string) => {
      const init = { method: 'POST', headers: { 'Content-Type': 'text/plain' } };
      const misbound = { getByName: () => ({ ingest: () => Promise.reject(new Error('restarting')) }) };
      return Promise.all([
        request(path, { ...init, body: JSON.stringify(batch()) }),
        request(path, { ...init, body: '{' }),
        request(path, { ...init, body: '{', headers: { ...init.headers, Origin: 'https://evil.example' } }),
        request(
          path,
          { ...init, body: JSON.stringify(batch()) },
          { OUTBOX: misbound as unknown as Env['OUTBOX'] },
        ),
        request(path, { ...init, body: '{' }, { WEBENGAGE_LICENSE_CODE: '' }),
      ]);
    };
    const told = (all: readonly Response[]) => all.map(({ status, headers }) => [status, ...headers]);

    const plain = told(await answers('/v1/batch'));
    const withQuery = told(await answers('/v1/batch?from=tag'));

    expect(plain.map(([status]) => status)).toEqual([202, 400, 403, 503, 503]);
    expect(withQuery).toEqual(plain);
  });

  test('treats one device written in either case as one', async () => {
    const sent = batch();
    await post(sent);

    expect(await (await post({ ...sent, device: sent.device.toUpperCase() })).json()).toMatchObject({
      duplicates: 1,
    });
  });

  test.each([
    ['not JSON', '{', {}, 400, 'invalid_batch'],
    ['not a batch', '[]', {}, 400, 'invalid_batch'],
    ['no records', batch([]), {}, 400, 'invalid_batch'],
    ['401 records', batch(Array(401).fill(eventRecord(1))), {}, 400, 'invalid_batch'],
    ['another version', batch([eventRecord(1)], { v: 2 }), {}, 400, 'unsupported_version'],
    [
      'invalid UTF-8',
      new Uint8Array([0x22, 0xff, 0x22]),
      { 'Content-Type': 'text/plain' },
      400,
      'invalid_batch',
    ],
    ['an origin that is not allowed', batch(), { Origin: 'https://evil.example' }, 403, 'origin_not_allowed'],
    [
      'an origin that only starts like an allowed one',
      batch(),
      { Origin: `${SHOP}.evil.example` },
      403,
      'origin_not_allowed',
    ],
    ['the null origin', batch(), { Origin: 'null' }, 403, 'origin_not_allowed'],
    ['no origin', batch(), { Origin: '' }, 403, 'origin_not_allowed'],
    ['a body over 128 KiB', ' '.repeat(131_073), {}, 413, 'too_large'],
    ['a form', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
    [
      'another charset',
      batch(),
      { 'Content-Type': 'text/plain; charset=utf-16' },
      415,
      'unsupported_media_type',
    ],
  ])('refuses %s', async (_, body, headers, status, code) => {
    const answer = await post(body, headers);

    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({
      error: { code, message: expect.any(String) },
      now: expect.any(Number),
    });
  });

  test('reads no more of a body than the limit, whatever its declared length', async () => {
    let pulled = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(16_384).fill(0x20));
      },
    });

    const answer = await request('/v1/batch', {
      method: 'POST',
      body: endless,
      headers: { 'Content-Type': 'text/plain' },
    });

    expect(answer.status).toBe(413);
    expect(pulled).toBeLessThan(20);
  });

  test('answers a batch that is wrong everywhere briefly and quickly', async () => {
    const long = 'n'.repeat(900);
    let nested: unknown = Array(300).fill(null);
    for (let depth = 0; depth < 14; depth++) nested = { [long]: nested };
    const records = Array.from({ length: 5 }, (_, n) => ({
      ...eventRecord(n + 1, { id: idOf(n + 1, newSession()) }),
      eventData: { a: nested },
    }));

    const answer = await post(batch([...records, { kind: 'event', id: 'i'.repeat(10_000) }]));

    expect(answer.status).toBe(202);
    expect((await answer.text()).length).toBeLessThan(20_000);
  });

  test('answers 503 with Retry-After if the relay is full, and for a while without asking the outbox', async () => {
    let asked = 0;
    const OUTBOX = {
      getByName: () => ({
        ingest: async () => {
          asked += 1;
          return { stored: false };
        },
      }),
    } as unknown as Env['OUTBOX'];
    const flooded = createRelay();
    const sent = () =>
      new Request('http://127.0.0.1:8787/v1/batch', {
        method: 'POST',
        body: JSON.stringify(batch()),
        headers: { Origin: SHOP },
      });

    const answers: Response[] = [];
    for (let n = 0; n < 20; n++)
      answers.push(await flooded.fetch(sent(), { ...relayEnv, OUTBOX }, createExecutionContext()));

    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(503));
    expect(answers.at(-1)?.headers.get('Retry-After')).toBe('60');
    expect(answers.at(-1)?.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
    expect(asked).toBe(1);
  });

  test('asks an outbox again that the platform has just restarted', async () => {
    let asked = 0;
    const OUTBOX = {
      getByName: () => ({
        ingest: async () => {
          asked += 1;
          if (asked === 1) throw Object.assign(new Error('its code was updated'), { retryable: true });
          return { stored: true, accepted: 1, duplicates: 0 };
        },
      }),
    };

    const answer = await createRelay().fetch(
      new Request('http://127.0.0.1:8787/v1/batch', {
        method: 'POST',
        body: JSON.stringify(batch()),
        headers: { Origin: SHOP },
      }),
      { ...relayEnv, OUTBOX } as unknown as Env,
      createExecutionContext(),
    );

    expect(answer.status).toBe(202);
    expect(asked).toBe(2);
  });

  test('treats an overloaded outbox as full, because asking again would add to its load', async () => {
    const overloaded = Object.assign(new Error('Durable Object is overloaded.'), { overloaded: true });
    const OUTBOX = { getByName: () => ({ ingest: () => Promise.reject(overloaded) }) };

    const answer = await createRelay().fetch(
      new Request('http://127.0.0.1:8787/v1/batch', {
        method: 'POST',
        body: JSON.stringify(batch()),
        headers: { Origin: SHOP },
      }),
      { ...relayEnv, OUTBOX: OUTBOX as unknown as Env['OUTBOX'] },
      createExecutionContext(),
    );

    expect(answer.status).toBe(503);
    expect(answer.headers.get('Retry-After')).toBe('60');
  });

  test('answers 503 with Retry-After if the outbox is unreachable', async () => {
    const OUTBOX = { getByName: () => ({ ingest: () => Promise.reject(new Error('overloaded')) }) };

    const answer = await post(batch(), {}, { OUTBOX: OUTBOX as unknown as Env['OUTBOX'] });

    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
  });
});

describe('quotas', () => {
  const over: RateLimit = { limit: async () => ({ success: false }) };

  function from(address: string | undefined, env: Partial<Env>, ownRelay = relay): Promise<Response> {
    const headers = { Origin: SHOP, ...(address && { 'CF-Connecting-IP': address }) };
    const asked = new Request('http://127.0.0.1:8787/v1/batch', {
      method: 'POST',
      body: JSON.stringify(batch()),
      headers,
    });
    return Promise.resolve(ownRelay.fetch(asked, { ...relayEnv, ...env }, createExecutionContext()));
  }

  test('a network that sends too much gets 429 and Retry-After, readable by the page', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => from('203.0.113.7', { ADDRESS_LIMIT: over })),
    );

    const waits = answers.map(({ headers }) => Number(headers.get('Retry-After')));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(429));
    expect(await answers[0]?.json()).toEqual({
      error: { code: 'rate_limited', message: expect.any(String) },
      now: expect.any(Number),
    });
    expect(answers[0]?.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
    expect(answers[0]?.headers.get('Access-Control-Expose-Headers')).toBe('Retry-After');
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...waits)).toBeLessThanOrEqual(10);
    expect(new Set(waits).size).toBeGreaterThan(1);
  });

  test('a network is an IPv4 address or an IPv6 /64, and a request without an address is not refused', async () => {
    const keys: string[] = [];
    const ADDRESS_LIMIT: RateLimit = {
      limit: async ({ key = '' }) => {
        keys.push(key);
        return { success: true };
      },
    };

    for (const address of ['203.0.113.7', '2001:db8:1:2:3:4:5:6']) await from(address, { ADDRESS_LIMIT });
    expect(keys).toEqual(['203.0.113.7', '2001:db8:1:2::/64']);
    expect((await from(undefined, { ADDRESS_LIMIT: over })).status).toBe(202);
  });

  test('no request is read and no outbox asked before its network is within its quota', async () => {
    let pulled = 0;
    const body = new ReadableStream(
      {
        pull: (controller) => {
          pulled += 1;
          controller.enqueue(new Uint8Array(16_384));
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { 'Content-Type': 'text/plain', 'CF-Connecting-IP': '203.0.113.7' };

    const answer = await request(
      '/v1/batch',
      { method: 'POST', body, headers },
      { ADDRESS_LIMIT: over, OUTBOX: {} as Env['OUTBOX'] },
    );

    expect(answer.status).toBe(429);
    expect(pulled).toBe(0);
  });

  test('an outbox gets no address, only a pseudonym of the network', async () => {
    const deliveries: string[] = [];
    const OUTBOX = {
      getByName: () => ({
        ingest: async (_: string, sent: { network?: string }) => {
          deliveries.push(JSON.stringify(sent));
          return { stored: true, accepted: 1, duplicates: 0 };
        },
      }),
    } as unknown as Env['OUTBOX'];

    for (const address of ['203.0.113.7', '203.0.113.7', '203.0.113.8', undefined])
      await from(address, { OUTBOX });

    expect(deliveries.join()).not.toContain('203.0.113');
    const [one, again, another, none] = deliveries.map((text) => JSON.parse(text).network);
    expect(one).toEqual(expect.any(String));
    expect(again).toBe(one);
    expect(another).not.toBe(one);
    expect(none).toBeUndefined();
  });

  test('a browser over its share gets 429, and for a while its outbox is not asked', async () => {
    let asked = 0;
    const OUTBOX = {
      getByName: () => ({
        ingest: async () => {
          asked += 1;
          return { stored: false, retryInMs: 4_000 };
        },
      }),
    } as unknown as Env['OUTBOX'];
    const sent = batch();

    const answers: Response[] = [];
    for (let n = 0; n < 5; n++) answers.push(await post(sent, {}, { OUTBOX }));
    const other = await post(batch(), {}, { OUTBOX });

    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(429));
    expect(Number(answers[0]?.headers.get('Retry-After'))).toBeGreaterThanOrEqual(4);
    expect(Number(answers[0]?.headers.get('Retry-After'))).toBeLessThanOrEqual(8);
    expect(Number(answers[4]?.headers.get('Retry-After'))).toBeGreaterThanOrEqual(1);
    // It is its sender that is over, and not the outbox that is full.
    expect(other.status).toBe(429);
    expect(asked).toBe(2);
  });

  test('a browser that sends more requests than any tracker is refused', async () => {
    const OUTBOX = {
      getByName: () => ({ ingest: async () => ({ stored: true, accepted: 1, duplicates: 0 }) }),
    } as unknown as Env['OUTBOX'];
    const sent = JSON.stringify(batch());

    const statuses: number[] = [];
    for (let n = 0; n < 700; n++) statuses.push((await post(sent, {}, { OUTBOX })).status);

    expect(statuses.slice(0, 600)).toEqual(Array(600).fill(202));
    expect(statuses.at(-1)).toBe(429);
  });

  test('refusals are a line in the log that names no one', async () => {
    const lines: string[] = [];
    vi.spyOn(console, 'warn').mockImplementation((line: string) => void lines.push(line));
    const ownRelay = createRelay();

    for (let n = 0; n < 3; n++) await from('203.0.113.7', { ADDRESS_LIMIT: over }, ownRelay);
    vi.restoreAllMocks();

    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { event: 'rate_limited', address: 1, browser: 0, share: 0 },
    ]);
    const [sample = ''] = /^{"event":"rate_limited".*$/m.exec(operating) ?? [];
    expect(Object.keys(JSON.parse(sample))).toEqual(Object.keys(JSON.parse(lines[0] ?? '')));
  });
});

describe('CORS', () => {
  test('every answer names the allowed origin and exposes Retry-After, including errors', async () => {
    const answers = [
      await post(batch()),
      await post('{'),
      await request('/nope'),
      await request('/v1/batch'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([202, 400, 404, 405]);
    for (const { headers } of answers) {
      expect(headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
      expect(headers.get('Access-Control-Expose-Headers')).toBe('Retry-After');
      expect(headers.get('Vary')).toBe('Origin');
      expect(headers.get('Access-Control-Allow-Credentials')).toBeNull();
    }
  });

  test('an origin that is not allowed gets no permission to read', async () => {
    const answer = await post(batch(), { Origin: 'https://evil.example' });

    expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  test('a preflight is answered for an allowed origin alone', async () => {
    const allowed = await request('/v1/batch', { method: 'OPTIONS' });
    const refused = await request('/v1/batch', {
      method: 'OPTIONS',
      headers: { Origin: 'https://evil.example' },
    });

    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('Access-Control-Allow-Methods')).toBe('POST');
    expect(refused.status).toBe(403);
  });

  test('the answer contains * only if it is set', async () => {
    const answer = await post(batch(), { Origin: 'https://anyone.example' }, { ALLOWED_ORIGINS: '*' });

    expect(answer.status).toBe(202);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });
});

describe('configuration', () => {
  test('GET /health answers 200 and the version to anyone', async () => {
    const answer = await request('/health', { headers: { Origin: '' } });

    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ok', version: '0.1.0' });
  });

  test('GET /health answers 503 and the remedy while WebEngage accepts nothing, and rarely asks the gate', async () => {
    let asked = 0;
    const RATE_GATE = {
      getByName: () => ({
        status: async () => {
          asked += 1;
          return { suspension: { since: Date.parse('2026-11-23T12:00:00Z'), status: 401, probeAt: 0 } };
        },
      }),
    } as unknown as Env['RATE_GATE'];
    const watched = createRelay();
    const health = () =>
      watched.fetch(
        new Request('http://127.0.0.1:8787/health'),
        { ...relayEnv, RATE_GATE },
        createExecutionContext(),
      );

    const answer = await health();
    await health();

    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      status: 'suspended',
      version: '0.1.0',
      since: '2026-11-23T12:00:00.000Z',
      message: expect.stringMatching(/answers 401.*API key.*keeps all records/),
    });
    expect(asked).toBe(1);
  });

  test('a missing setting is answered 503 everywhere, with what to set', async () => {
    const answer = await post(batch(), {}, { WEBENGAGE_LICENSE_CODE: '' });

    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('WEBENGAGE_LICENSE_CODE must be set');
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
    expect(answer.headers.get('Retry-After')).not.toBeNull();
  });

  test('a missing binding is answered 503 to a batch, with its name and no stack', async () => {
    const answer = await post(batch(), {}, { OUTBOX: undefined as never });

    expect(answer.status).toBe(503);
    const { error } = await answer.json<{ error: { message: string } }>();
    expect(error.message).toMatch(/^OUTBOX must be bound to a Durable Object: add it to durable_objects/);
    expect(error.message).not.toMatch(/TypeError|\bat /);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
    expect(answer.headers.get('Retry-After')).not.toBeNull();
  });

  test.each([
    ['OUTBOX', { OUTBOX: undefined as never }, /^OUTBOX must be bound/],
    ['RATE_GATE', { RATE_GATE: undefined as never }, /^RATE_GATE must be bound/],
    ['WEBENGAGE_LICENSE_CODE', { WEBENGAGE_LICENSE_CODE: '' }, /^WEBENGAGE_LICENSE_CODE must be set/],
  ])('without %s, each run of the watchdog logs what to set', async (_, missing, says) => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    await relay.scheduled({ scheduledTime: 0 }, { ...relayEnv, ...missing }).catch(() => undefined);
    const lines = logged.mock.calls.map(([line]) => JSON.parse(line));
    logged.mockRestore();

    expect(lines).toContainEqual({ event: 'broken', says: expect.stringMatching(says) });
  });

  test('an upstream on this machine is only for a relay on this machine', async () => {
    const deployed = new Request('https://t.example.com/health');

    const answer = await relay.fetch(deployed, relayEnv, createExecutionContext());

    expect(answer.status).toBe(503);
  });
});

describe('GET /admin/status', () => {
  const status = (token: string, env: Partial<Env> = {}) =>
    request('/admin/status', { headers: { Authorization: token, Origin: '' } }, env);

  test('reports the backlog to the operator', async () => {
    const answer = await status(`Bearer ${relayEnv.ADMIN_TOKEN}`);

    expect(await answer.json()).toMatchObject({ backlog: { records: expect.any(Number) } });
  });

  test.each([
    ['', {}],
    ['Bearer wrong', {}],
    [`${relayEnv.ADMIN_TOKEN}`, {}],
    ['Bearer ', { ADMIN_TOKEN: '' }],
    ['Bearer undefined', { ADMIN_TOKEN: undefined }],
    ['Bearer short', { ADMIN_TOKEN: 'short' }],
  ])('does not exist with %j', async (token, env) => {
    expect((await status(token, env as Partial<Env>)).status).toBe(404);
  });
});

test('accepted records reach WebEngage by the outbox’s own alarm, and the documented examples stay unchanged', async () => {
  const session = newSession();
  const calls: { readonly url: string; readonly body: string }[] = [];
  vi.stubGlobal('fetch', async (call: Request) => {
    calls.push({ url: call.url, body: await call.text() });
    return Response.json({ response: { status: 'queued' } });
  });

  await post(batch([userRecord(1, { id: idOf(1, session) }), eventRecord(2, { id: idOf(2, session) })]));
  await vi.waitFor(
    async () => {
      await runDurableObjectAlarm(outbox);
      expect(calls.at(-1)?.body).toContain('"events"');
    },
    { timeout: 10_000 },
  );

  const sentTo = (path: string) =>
    calls
      .filter(({ url }) => url.endsWith(path))
      .map(({ body }) => body)
      .join();
  expect(sentTo('/bulk-users')).toContain(JSON.stringify(JOHN));
  expect(sentTo('/bulk-events')).toContain(JSON.stringify(ADDED_TO_CART));
  expect(await outbox.status()).toMatchObject({ records: 0 });
});

test('the watchdog sets a lost alarm again', async () => {
  vi.stubGlobal('fetch', async () => new Response('', { status: 503 }));
  await post(batch());
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());

  await worker.scheduled({ scheduledTime: 0 }, relayEnv);

  expect(await runInDurableObject(outbox, (_, { storage }) => storage.getAlarm())).toBeGreaterThan(0);
});

test('the key appears in no answer', async () => {
  const answers = [
    await post(batch()),
    await post('{'),
    await request('/health'),
    await request('/admin/status', {
      headers: { Authorization: `Bearer ${relayEnv.ADMIN_TOKEN}`, Origin: '' },
    }),
    await post(batch(), {}, { WEBENGAGE_REGION: 'mars', WEBENGAGE_HOST: '' }),
  ];

  for (const answer of answers) {
    const text = JSON.stringify([...answer.headers]) + (await answer.text());
    expect(text).not.toContain(relayEnv.WEBENGAGE_API_KEY);
    expect(text).not.toContain(relayEnv.ADMIN_TOKEN);
  }
});

test('the watchdog leaves a pending alarm alone', async () => {
  vi.stubGlobal('fetch', async () => new Response('', { status: 503 }));
  await post(batch());
  const later = Date.now() + 60_000;
  await runInDurableObject(outbox, (_, { storage }) => storage.setAlarm(later));

  await worker.scheduled({ scheduledTime: 0 }, relayEnv);

  expect(await runInDurableObject(outbox, (_, { storage }) => storage.getAlarm())).toBe(later);
});
