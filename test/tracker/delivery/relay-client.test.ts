import { describe, expect, test } from 'vitest';
import { readAnswer, relayClient, relayRequests } from '../../../src/tracker/delivery/relay-client.ts';
import { accepted, fakeTime, scriptedRelay } from '../../fakes/platform.ts';
import { eventRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T15:45:00Z');
const DEVICE = '0b9d3c5e-8f1a-4c2b-9d7e-6a5b4c3d2e1f';
const QUEUED = JSON.stringify({ response: { status: 'queued' }, accepted: 1, duplicates: 0, rejected: [] });
const clientOf = (fetch: typeof globalThis.fetch, time = fakeTime(NOW)) =>
  relayClient(
    relayRequests('https://t.example.com', () => DEVICE, time.now),
    fetch,
    time,
  );
const refusal = (code: string) => JSON.stringify({ error: { code, message: 'why' } });

describe('what an answer means', () => {
  test.each([
    [202, QUEUED, null, { kind: 'settled', rejected: [], duplicates: 0 }],
    [200, QUEUED, null, { kind: 'settled', rejected: [], duplicates: 0 }],
    [200, '<html>Sign in to the Wi-Fi</html>', null, { kind: 'retry', reason: 'not_the_relay' }],
    [200, '{"ok":true}', null, { kind: 'retry', reason: 'not_the_relay' }],
    [200, 'null', null, { kind: 'retry', reason: 'not_the_relay' }],
    [204, '', null, { kind: 'retry', reason: 'not_the_relay' }],
    [400, refusal('invalid_batch'), null, { kind: 'refused', message: 'why' }],
    [413, refusal('too_large'), null, { kind: 'refused', message: 'why' }],
    [400, '<html>Bad Request</html>', null, { kind: 'retry', reason: 'not_the_relay' }],
    [401, refusal('invalid_token'), null, { kind: 'retry', reason: 'no_token' }],
    [403, refusal('origin_not_allowed'), null, { kind: 'retry', reason: 'not_allowed' }],
    [404, '', null, { kind: 'retry', reason: 'not_allowed' }],
    [408, '', null, { kind: 'retry', reason: 'unavailable' }],
    [429, '', '7', { kind: 'retry', reason: 'rate_limited', afterMs: 7_000 }],
    [429, '', 'Mon, 23 Nov 2026 15:46:00 GMT', { kind: 'retry', reason: 'rate_limited', afterMs: 60_000 }],
    [503, refusal('unavailable'), '10', { kind: 'retry', reason: 'unavailable', afterMs: 10_000 }],
    [500, '', null, { kind: 'retry', reason: 'unavailable' }],
  ])('%d %s', (status, body, retryAfter, outcome) => {
    expect(readAnswer(status, body, retryAfter, NOW)).toMatchObject(outcome);
  });
});

test('a batch is posted as the protocol has it, with no cookie and no preflight', async () => {
  const relay = scriptedRelay();
  const send = clientOf(relay.fetch);

  await send([{ at: NOW - 42_900, record: eventRecord(18) }]);

  expect(relay.requests[0]).toMatchObject({
    url: 'https://t.example.com/v1/batch',
    init: { method: 'POST', credentials: 'omit', keepalive: true },
  });
  expect(relay.requests[0]?.init.headers).toBeUndefined();
  expect(JSON.parse(String(relay.requests[0]?.init.body))).toEqual({
    v: 1,
    sentAt: '2026-11-23T15:45:00.000Z',
    device: DEVICE,
    records: [{ ...eventRecord(18), age: 42_900 }],
  });
});

test('a body over the keepalive budget goes without it', async () => {
  const relay = scriptedRelay();
  const send = clientOf(relay.fetch);
  // 45,000 characters, and 90,000 bytes.
  const eventData = Object.fromEntries(Array.from({ length: 45 }, (_, i) => [`a${i}`, ['é'.repeat(999)]]));

  await send([{ at: NOW, record: eventRecord(1, { eventData }) }]);

  expect(relay.requests[0]?.init.keepalive).toBe(false);
});

test('the answer’s body is read to its end, or the browser never gives the keepalive budget back', async () => {
  const answer = accepted([1]);
  const relay = scriptedRelay(() => answer);
  const send = clientOf(relay.fetch);

  await send([{ at: NOW, record: eventRecord(1) }]);

  expect(answer.bodyUsed).toBe(true);
});

test('a network that fails is no rejection', async () => {
  const relay = scriptedRelay(() => new TypeError('Failed to fetch'));
  const send = clientOf(relay.fetch);

  expect(await send([])).toEqual({ kind: 'retry', reason: 'network', afterMs: undefined });
});

test('a clock that was set back makes no negative age', () => {
  const [, { body }] = relayRequests(
    'e',
    () => DEVICE,
    () => NOW,
  )([{ at: NOW + 5_000, record: eventRecord(1) }]);

  expect(JSON.parse(body)).toMatchObject({ records: [{ age: 0 }] });
});

test('a request that never ends, though it was called off, is given up', async () => {
  const time = fakeTime();
  const relay = scriptedRelay(() => new Promise<Response>(() => {}));
  const send = clientOf(relay.fetch, time);

  const outcome = send([{ at: NOW, record: eventRecord(1) }]);
  await time.pass(15_000);

  expect(await outcome).toMatchObject({ kind: 'retry', reason: 'network' });
  expect(relay.requests[0]?.init.signal?.aborted).toBe(true);
});

test('a fetch that some tool has wrapped, and that throws, is a failure like any other', async () => {
  const send = clientOf(() => {
    throw new Error('of the tool’s own');
  });

  expect(await send([{ at: NOW, record: eventRecord(1) }])).toMatchObject({
    kind: 'retry',
    reason: 'network',
  });
});
