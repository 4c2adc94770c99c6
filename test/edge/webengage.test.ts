import { afterEach, expect, test, vi } from 'vitest';
import type { RelaySettings } from '../../src/edge/settings.ts';
import { type CallOutcome, outcomeOf, type UpstreamCall, webEngage } from '../../src/edge/webengage.ts';
import { ADDED_TO_CART, idOf, JOHN } from '../fakes/records.ts';

const NOW = Date.parse('2026-11-23T15:45:12Z');
const SETTINGS: RelaySettings = {
  apiKey: 'the-key',
  licenseCode: '~47b6655b',
  upstream: 'https://api.webengage.com',
  allowedOrigins: ['*'],
  requestsPerMinute: 500,
  lingerMs: 1_000,
};

afterEach(() => {
  vi.unstubAllGlobals();
});

const STATUSES: readonly [number, string | null, CallOutcome][] = [
  [200, null, { kind: 'delivered' }],
  [201, null, { kind: 'delivered' }],
  [429, '7', { kind: 'paused', forMs: 7_000 }],
  [429, null, { kind: 'paused', forMs: 48_000 }],
  // Neither no pause at all nor one of years.
  [429, '0', { kind: 'paused', forMs: 1_000 }],
  [429, '99999999999', { kind: 'paused', forMs: 3_600_000 }],
];
const RETRIED = [301, 307, 400, 401, 403, 404, 408, 413, 422, 500, 502, 503];

test.each(STATUSES)('status %d with Retry-After %s', (status, retryAfter, outcome) => {
  expect(outcomeOf(status, retryAfter, NOW)).toEqual(outcome);
});

test.each(RETRIED)('status %d keeps the batch', (status) => {
  expect(outcomeOf(status, null, NOW)).toEqual({ kind: 'retry', status });
});

const EVENT: UpstreamCall = {
  kind: 'event',
  requestId: '0123456789abcdef',
  records: [{ id: idOf(1), ...ADDED_TO_CART }],
};

/** Calls with the network played by one answer; tells what was sent. */
async function callWith(answer: () => Response | Promise<Response>, call = EVENT) {
  const sent: Request[] = [];
  vi.stubGlobal('fetch', async (input: Request, init?: RequestInit) => {
    sent.push(new Request(input, init));
    return answer();
  });
  return { outcome: await webEngage(SETTINGS, () => NOW)(call), sent };
}

test('a batch goes to its endpoint with key and id, and nothing of ours but checked records', async () => {
  const { outcome, sent } = await callWith(() => Response.json({ response: { status: 'queued' } }));
  const [request] = sent;

  expect(outcome).toEqual({ kind: 'delivered' });
  expect(request?.url).toBe('https://api.webengage.com/v1/accounts/~47b6655b/bulk-events');
  expect(request?.redirect).toBe('manual');
  expect(Object.fromEntries(request?.headers ?? [])).toEqual({
    authorization: 'Bearer the-key',
    'content-type': 'application/json',
    'x-request-id': '0123456789abcdef',
  });
  expect(await request?.json()).toEqual({ events: [ADDED_TO_CART] });
});

test('users go as users', async () => {
  const call: UpstreamCall = { ...EVENT, kind: 'user', records: [{ id: idOf(1), ...JOHN }] };

  const { sent } = await callWith(() => new Response('{}'), call);

  expect(sent[0]?.url).toMatch(/bulk-users$/);
  expect(await sent[0]?.json()).toEqual({ users: [JOHN] });
});

test('a status is asked for once: retrying is the outbox’s, under one id', async () => {
  const { outcome, sent } = await callWith(() => new Response('<html>Bad gateway</html>', { status: 503 }));

  expect(outcome).toEqual({ kind: 'retry', status: 503 });
  expect(sent).toHaveLength(1);
});

test('a connection that is cut is an unknown outcome', async () => {
  const { outcome } = await callWith(() => Promise.reject(new TypeError('Network connection lost')));

  expect(outcome).toEqual({ kind: 'retry', status: 0 });
});

test('a success whose body breaks off is a success', async () => {
  const broken = new ReadableStream({ start: (controller) => controller.error(new Error('cut')) });

  expect((await callWith(() => new Response(broken, { status: 200 }))).outcome).toEqual({
    kind: 'delivered',
  });
});
