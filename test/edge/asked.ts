import { createExecutionContext } from 'cloudflare:test';
import { createRelay, type Env } from '../../src/edge/worker.ts';
import { relayEnv } from '../fakes/outbox.ts';
import { eventRecord, idOf } from '../fakes/records.ts';

export const SHOP = 'https://shop.example.com';

export const SERVER_TOKEN = 'a-server-token-of-enough-characters';

const relay = createRelay();

/** Asks the relay as a page of the shop would; `Origin: ''` leaves it out. */
export function ask(path: string, init: RequestInit = {}, env: Partial<Env> = {}): Promise<Response> {
  const headers = new Headers({ Origin: SHOP, ...(init.headers as Record<string, string>) });
  if (headers.get('Origin') === '') headers.delete('Origin');
  const request = new Request(`http://127.0.0.1:8787${path}`, { ...init, headers });
  return Promise.resolve(
    relay.fetch(request, { ...relayEnv, SERVER_TOKEN, ...env }, createExecutionContext()),
  );
}

/** Posts a batch: text as it is, anything else as JSON. */
export function post(
  body: unknown,
  headers: Record<string, string> = {},
  env: Partial<Env> = {},
): Promise<Response> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
  return ask(
    '/v1/batch',
    {
      method: 'POST',
      body: isRaw ? (body as BodyInit) : JSON.stringify(body),
      headers: { 'Content-Type': 'text/plain;charset=UTF-8', ...headers },
    },
    env,
  );
}

export const newSession = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 22);

/** A batch of one event, unless others are given, from a browser of its own. */
export function batchOf(...records: readonly unknown[]) {
  const given = records.length > 0 ? records : [eventRecord(1, { id: idOf(1, newSession()) })];
  return { v: 1, sentAt: new Date().toISOString(), device: crypto.randomUUID(), records: given };
}
