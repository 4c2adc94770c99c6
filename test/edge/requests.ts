import { createExecutionContext } from 'cloudflare:test';
import { vi } from 'vitest';
import { createRelay, type Env, type RelayOptions } from '../../src/edge/worker.ts';
import { relayEnv } from '../fakes/outbox.ts';
import { eventRecord, idOf } from '../fakes/records.ts';

export const SHOP = 'https://shop.example.com';

export const SERVER_TOKEN = 'a-server-token-of-enough-characters';

type Headed = Readonly<Record<string, string>>;

/** A relay with these settings. `request` and `post` act as a page of the shop; `Origin: ''` leaves that header out. */
export function testRelay(env: Partial<Env> = {}, options: RelayOptions = {}) {
  const relay = createRelay(options);

  function request(path: string, init: RequestInit = {}, more: Partial<Env> = {}): Promise<Response> {
    const headers = new Headers({ Origin: SHOP, ...(init.headers as Headed) });
    if (headers.get('Origin') === '') headers.delete('Origin');
    const call = new Request(`http://127.0.0.1:8787${path}`, { ...init, headers });
    const settings = { ...relayEnv, SERVER_TOKEN, ...env, ...more };
    return Promise.resolve(relay.fetch(call, settings, createExecutionContext()));
  }

  /** Posts a batch: text, bytes or a stream as they are, anything else as JSON. */
  function post(body: unknown, headers: Headed = {}, more: Partial<Env> = {}): Promise<Response> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
    const init = {
      method: 'POST',
      body: isRaw ? (body as BodyInit) : JSON.stringify(body),
      headers: { 'Content-Type': 'text/plain;charset=UTF-8', ...headers },
    };
    return request('/v1/batch', init, more);
  }

  return { request, post };
}

export const newSession = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 22);

/** A batch of one event, unless others are given, from a browser of its own. */
export function batchOf(...records: readonly unknown[]) {
  const given = records.length > 0 ? records : [eventRecord(1, { id: idOf(1, newSession()) })];
  return { v: 1, sentAt: new Date().toISOString(), device: crypto.randomUUID(), records: given };
}

export const OPERATOR = { Authorization: `Bearer ${relayEnv.ADMIN_TOKEN}`, Origin: '' };

/** A body that begins, and neither goes on nor ends. */
export const stalled = (): ReadableStream =>
  new ReadableStream({ start: (out) => out.enqueue(new Uint8Array([0x7b])) });

const outboxThat = (ingest: () => unknown) => ({ getByName: () => ({ ingest }) }) as unknown as Env['OUTBOX'];

/** What the relay answers to everything there is to ask, and much that is not: each of its statuses is among it. */
export async function everyAnswer(env: Partial<Env> = {}, fault = 'restarting'): Promise<Response[]> {
  const { ADMIN_TOKEN = relayEnv.ADMIN_TOKEN, SERVER_TOKEN: token = SERVER_TOKEN } = env;
  const operator = { ...OPERATOR, Authorization: `Bearer ${ADMIN_TOKEN}` };
  const server = { Origin: '', Authorization: `Bearer ${token}` };
  const { request, post } = testRelay(env);

  const deadline = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());
  const slow = await post(stalled());
  deadline.mockRestore();
  return [
    slow,
    await post(batchOf()),
    await post(batchOf(), server),
    await post(batchOf(), { ...server, Authorization: `Bearer not-${token}` }),
    await post('{'),
    await post(batchOf(), { Origin: 'https://evil.example' }),
    await post(' '.repeat(131_073)),
    await post('a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }),
    await post(batchOf(), {}, { OUTBOX: outboxThat(() => Promise.reject(new Error(fault))) }),
    await testRelay(env).post(batchOf(), {}, { OUTBOX: outboxThat(() => ({ stored: false })) }),
    await post(batchOf(), {}, { WEBENGAGE_LICENSE_CODE: '' }),
    await post(batchOf(), {}, { WEBENGAGE_REGION: 'mars', WEBENGAGE_HOST: '' }),
    await post(batchOf(), {}, { WEBENGAGE_API_KEY: `${env.WEBENGAGE_API_KEY}\n` }),
    await post(batchOf(), {}, { SERVER_TOKEN: ADMIN_TOKEN ?? '' }),
    await request('/v1/batch', { method: 'OPTIONS' }),
    await request('/health'),
    await request('/health', { method: 'HEAD' }),
    ...(await Promise.all(
      ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD'].map((method) => request('/v1/batch', { method })),
    )),
    ...(await Promise.all(
      [
        '/',
        '/nope',
        '/v1/batch/',
        '/V1/BATCH',
        '//evil.example/v1/batch',
        '/admin',
        '/admin/nope',
        '/%ff',
      ].map((path) => request(path)),
    )),
    await request('/metrics', {
      headers: { Origin: '', Authorization: `Bearer ${env.METRICS_TOKEN ?? relayEnv.METRICS_TOKEN}` },
    }),
    await request('/admin/status', { headers: operator }),
    await request('/admin/dead-letters', { headers: operator }),
    await request('/admin/dead-letters?limit=0', { headers: operator }),
    await request('/admin/dead-letters.ndjson', { headers: operator }),
    await request('/admin/dead-letters/replay', { method: 'POST', body: 'x', headers: operator }),
    await request('/admin/status', { headers: { ...operator, Authorization: `${ADMIN_TOKEN}` } }),
    await request('/admin/status', { headers: server }),
  ];
}
