import { describe, expect, test } from 'vitest';
import { readAnswer, relayClient, relayRequests } from '../../../src/tracker/delivery/relay-client.ts';
import { createClock } from '../../../src/tracker/engine/clock.ts';
import { accepted, fakeTime, scriptedRelay } from '../../fakes/platform.ts';
import { ADDED_TO_CART, idOf, storedEntry } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T15:45:00Z');
const DEVICE = '0b9d3c5e-8f1a-4c2b-9d7e-6a5b4c3d2e1f';
const QUEUED = JSON.stringify({ response: { status: 'queued' }, accepted: 1, duplicates: 0, rejected: [] });
const refusal = (code: string) => JSON.stringify({ error: { code, message: 'why' }, now: NOW });

function clientOf(fetch: typeof globalThis.fetch, time = fakeTime(NOW)) {
  const clock = createClock(time, 'the page load');
  const request = relayRequests({
    endpoint: 'https://t.example.com',
    device: () => DEVICE,
    token: () => undefined,
    clock,
    time,
  });
  return { send: relayClient(request, fetch, clock, time), request, clock };
}

const entry = storedEntry(18, { at: NOW - 42_900 });

describe('what an answer means', () => {
  test.each([
    [202, QUEUED, null, { kind: 'settled', rejected: [], duplicates: 0 }],
    [200, QUEUED, null, { kind: 'settled', rejected: [], duplicates: 0 }],
    [200, '<html>Sign in to the Wi-Fi</html>', null, { reason: 'unexpected_response', isForeign: true }],
    [200, '{"ok":true}', null, { reason: 'unexpected_response', isForeign: true }],
    [200, 'null', null, { reason: 'unexpected_response', isForeign: true }],
    [204, '', null, { reason: 'unexpected_response', isForeign: true }],
    [400, refusal('invalid_batch'), null, { kind: 'refused', message: 'why' }],
    [413, refusal('too_large'), null, { kind: 'refused', message: 'why' }],
    [400, refusal('unsupported_version'), null, { kind: 'retry', isForeign: false }],
    [400, '<html>Bad Request</html>', null, { reason: 'unexpected_response', isForeign: true }],
    [401, refusal('invalid_token'), null, { kind: 'retry', reason: 'token_required', isForeign: false }],
    [403, refusal('origin_not_allowed'), null, { kind: 'retry', reason: 'forbidden', isForeign: false }],
    [403, '<html>Blocked</html>', null, { reason: 'unexpected_response', isForeign: true }],
    [404, '', null, { reason: 'unexpected_response', isForeign: true }],
    [408, '', null, { kind: 'retry', reason: 'unavailable' }],
    [429, '', '7', { reason: 'rate_limited', afterMs: 7_000, isForeign: false }],
    [429, '', 'Mon, 23 Nov 2026 15:46:00 GMT', { reason: 'rate_limited', afterMs: 60_000 }],
    [503, refusal('unavailable'), '10', { reason: 'unavailable', afterMs: 10_000, isForeign: false }],
    [500, '', null, { kind: 'retry', reason: 'unavailable', isForeign: true }],
  ])('%d %s', (status, body, retryAfter, outcome) => {
    expect(readAnswer(status, body, retryAfter, { now: () => NOW })).toMatchObject(outcome);
  });
});

test('a batch is posted as the protocol has it, with no cookie and no preflight', async () => {
  const relay = scriptedRelay();
  const { send } = clientOf(relay.fetch);

  await send([entry], true);

  expect(relay.requests[0]).toMatchObject({
    url: 'https://t.example.com/v1/batch',
    init: { method: 'POST', credentials: 'omit', keepalive: true },
  });
  expect(relay.requests[0]?.init.headers).toBeUndefined();
  expect(JSON.parse(String(relay.requests[0]?.init.body))).toEqual({
    v: 1,
    sentAt: '2026-11-23T15:45:00Z',
    device: DEVICE,
    lenient: true,
    records: [
      {
        kind: 'event',
        id: idOf(18),
        userId: 'johndoe',
        eventName: ADDED_TO_CART.eventName,
        eventData: ADDED_TO_CART.eventData,
        eventTime: expect.stringMatching(/^2026-11-2\dT\d\d:\d\d:17[+-]\d{4}$/),
        age: 42_900,
      },
    ],
  });
});

test('a request of which nobody knows when it leaves does not say so', () => {
  const { request } = clientOf(scriptedRelay().fetch);

  const [, { body }] = request([entry], false);

  expect(JSON.parse(String(body))).not.toHaveProperty('sentAt');
});

test('a request keeps alive only where it is asked to', async () => {
  const relay = scriptedRelay();
  const { send } = clientOf(relay.fetch);

  await send([entry], false);

  expect(relay.requests[0]?.init.keepalive).toBe(false);
});

test('the answer’s body is read to its end, or the browser never gives the keepalive budget back', async () => {
  const answer = accepted([1]);
  const relay = scriptedRelay(() => answer);
  const { send } = clientOf(relay.fetch);

  await send([entry], true);

  expect(answer.bodyUsed).toBe(true);
});

test.each([
  ['an acceptance', () => accepted([1], { now: NOW - 7_200_000 })],
  [
    'a refusal',
    () => Response.json({ error: { code: 'unavailable' }, now: NOW - 7_200_000 }, { status: 503 }),
  ],
])('the relay’s time is taken out of %s', async (_, answer) => {
  const { send, clock } = clientOf(scriptedRelay(answer).fetch);

  await send([entry], true);

  expect([clock.offset(), clock.isConfirmed()]).toEqual([7_200_000, true]);
});

test.each(['"soon"', 'null', '{}'])('a time that is none, as %s, teaches nothing', async (now) => {
  const body = `{"response":{"status":"queued"},"rejected":[],"now":${now}}`;
  const { send, clock } = clientOf(scriptedRelay(() => new Response(body, { status: 202 })).fetch);

  expect(await send([entry], true)).toMatchObject({ kind: 'settled' });
  expect(clock.isConfirmed()).toBe(false);
});

test('a network that fails is no rejection', async () => {
  const { send } = clientOf(scriptedRelay(() => new TypeError('Failed to fetch')).fetch);

  expect(await send([entry], true)).toEqual({ kind: 'retry', reason: 'network' });
});

test('a record from the future has no negative age', () => {
  const { request } = clientOf(scriptedRelay().fetch);

  const [, { body }] = request([storedEntry(1, { at: NOW + 5_000 })], true);

  expect(JSON.parse(String(body))).toMatchObject({ records: [{ age: 0 }] });
});

test('a request that never ends, though it was called off, is given up', async () => {
  const time = fakeTime();
  const relay = scriptedRelay(() => new Promise<Response>(() => {}));
  const { send } = clientOf(relay.fetch, time);

  const outcome = send([entry], true);
  await time.pass(15_000);

  expect(await outcome).toMatchObject({ kind: 'retry', reason: 'network' });
  expect(relay.requests[0]?.init.signal?.aborted).toBe(true);
});

test('a fetch that some tool has wrapped, and that throws, is a failure like any other', async () => {
  const { send } = clientOf(() => {
    throw new Error('of the tool’s own');
  });

  expect(await send([entry], true)).toMatchObject({ kind: 'retry', reason: 'network' });
});
