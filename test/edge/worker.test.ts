import { createExecutionContext, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Answer } from '../../src/contract/answer.ts';
import type { Env } from '../../src/edge/worker.ts';
import worker, { createRelay } from '../../src/edge/worker.ts';
import { relayEnv } from '../fakes/outbox.ts';
import { ADDED_TO_CART, eventRecord, idOf, JOHN, userRecord } from '../fakes/records.ts';

const SHOP = 'https://shop.example.com';
const relay = createRelay();
const outbox = relayEnv.OUTBOX.getByName('1/0');

afterEach(async () => {
  vi.unstubAllGlobals();
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());
});

const newSession = () => crypto.randomUUID().replaceAll('-', '').slice(0, 22);

function batch(
  records: readonly unknown[] = [eventRecord(1, { id: idOf(1, newSession()) })],
  fields: object = {},
) {
  return { v: 1, sentAt: new Date().toISOString(), device: crypto.randomUUID(), records, ...fields };
}

function request(path: string, init: RequestInit = {}, env: Partial<Env> = {}): Promise<Response> {
  const headers = new Headers({ Origin: SHOP, ...(init.headers as Record<string, string>) });
  if (headers.get('Origin') === '') headers.delete('Origin');
  const asked = new Request(`http://127.0.0.1:8787${path}`, { ...init, headers });
  return Promise.resolve(relay.fetch(asked, { ...relayEnv, ...env }, createExecutionContext()));
}

function post(
  body: unknown,
  headers: Record<string, string> = {},
  env: Partial<Env> = {},
): Promise<Response> {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  return request('/v1/batch', { method: 'POST', body: text as string, headers }, env);
}

describe('POST /v1/batch', () => {
  test('accepts what is new once, and answers for every record', async () => {
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
    });
    expect(await again.json<Answer>()).toMatchObject({ accepted: 0, duplicates: 2, rejected: [{}] });
  });

  test('takes application/json too', async () => {
    expect((await post(batch(), { 'Content-Type': 'application/json; charset=utf-8' })).status).toBe(202);
  });

  test('takes one device written in either case for one', async () => {
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
    ['another version', batch([eventRecord(1)], { v: 2 }), {}, 400, 'invalid_batch'],
    [
      'bytes that are no UTF-8',
      new Uint8Array([0x22, 0xff, 0x22]),
      { 'Content-Type': 'text/plain' },
      400,
      'invalid_batch',
    ],
    ['an origin that is not allowed', batch(), { Origin: 'https://evil.example' }, 403, 'origin_not_allowed'],
    ['an origin that only begins so', batch(), { Origin: `${SHOP}.evil.example` }, 403, 'origin_not_allowed'],
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
    expect(await answer.json()).toEqual({ error: { code, message: expect.any(String) } });
  });

  test('reads no more of a body than it takes, whatever its length says', async () => {
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

  test('answers what is wrong everywhere in few words, and soon', async () => {
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

  test('answers 503 with Retry-After where the relay is full, and for a while does not even ask', async () => {
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

  test('takes an overloaded outbox for a full one: asking again would only add to it', async () => {
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

  test('answers 503 with Retry-After where the outbox is out of reach', async () => {
    const OUTBOX = { getByName: () => ({ ingest: () => Promise.reject(new Error('overloaded')) }) };

    const answer = await post(batch(), {}, { OUTBOX: OUTBOX as unknown as Env['OUTBOX'] });

    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
  });
});

describe('CORS', () => {
  test('every answer names the allowed origin and exposes Retry-After, errors too', async () => {
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

  test('an origin that is not allowed gets no leave to read', async () => {
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

  test('* is said only where it is set', async () => {
    const answer = await post(batch(), { Origin: 'https://anyone.example' }, { ALLOWED_ORIGINS: '*' });

    expect(answer.status).toBe(202);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });
});

describe('configuration', () => {
  test('GET /health answers 200 and the version, to anyone', async () => {
    const answer = await request('/health', { headers: { Origin: '' } });

    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ok', version: '0.1.0' });
  });

  test('GET /health answers 503 and what to put right while WebEngage takes nothing, and asks the gate rarely', async () => {
    let asked = 0;
    const RATE_GATE = {
      getByName: () => ({
        status: async () => {
          asked += 1;
          return { held: { since: Date.parse('2026-11-23T12:00:00Z'), status: 401, probeAt: 0 } };
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
      status: 'held',
      version: '0.1.0',
      since: '2026-11-23T12:00:00.000Z',
      message: expect.stringMatching(/answers 401.*API key.*none is lost/),
    });
    expect(asked).toBe(1);
  });

  test('GET /health wakes nobody where the gate can’t be asked just then', async () => {
    const RATE_GATE = {
      getByName: () => ({ status: () => Promise.reject(new Error('restarting')) }),
    } as unknown as Env['RATE_GATE'];

    const answer = await createRelay().fetch(
      new Request('http://127.0.0.1:8787/health'),
      { ...relayEnv, RATE_GATE },
      createExecutionContext(),
    );

    expect(answer.status).toBe(200);
  });

  test('a setting that is missing answers 503 everywhere, with what to set', async () => {
    const answer = await post(batch(), {}, { WEBENGAGE_LICENSE_CODE: '' });

    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('WEBENGAGE_LICENSE_CODE must be set');
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
    expect(answer.headers.get('Retry-After')).not.toBeNull();
  });

  test('an upstream on this machine is for a relay on this machine', async () => {
    const deployed = new Request('https://t.example.com/health');

    const answer = await relay.fetch(deployed, relayEnv, createExecutionContext());

    expect(answer.status).toBe(503);
  });
});

describe('GET /admin/status', () => {
  const status = (token: string, env: Partial<Env> = {}) =>
    request('/admin/status', { headers: { Authorization: token, Origin: '' } }, env);

  test('tells the operator the backlog', async () => {
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
  ])('is not there for %j', async (token, env) => {
    expect((await status(token, env as Partial<Env>)).status).toBe(404);
  });
});

test('what was accepted reaches WebEngage by the outbox’s own alarm, the documented examples unchanged', async () => {
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

test('the watchdog sets an alarm that was lost', async () => {
  vi.stubGlobal('fetch', async () => new Response('', { status: 503 }));
  await post(batch());
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());

  await worker.scheduled({} as ScheduledController, relayEnv);

  expect(await runInDurableObject(outbox, (_, { storage }) => storage.getAlarm())).toBeGreaterThan(0);
});

test('the key is in no answer', async () => {
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
    const told = JSON.stringify([...answer.headers]) + (await answer.text());
    expect(told).not.toContain(relayEnv.WEBENGAGE_API_KEY);
    expect(told).not.toContain(relayEnv.ADMIN_TOKEN);
  }
});

test('the watchdog leaves an alarm alone that is still to come', async () => {
  vi.stubGlobal('fetch', async () => new Response('', { status: 503 }));
  await post(batch());
  const later = Date.now() + 60_000;
  await runInDurableObject(outbox, (_, { storage }) => storage.setAlarm(later));

  await worker.scheduled({} as ScheduledController, relayEnv);

  expect(await runInDurableObject(outbox, (_, { storage }) => storage.getAlarm())).toBe(later);
});
