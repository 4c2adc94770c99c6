import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { relayRequest, sendBatch } from '../../../src/tracker/delivery/relay-client.ts';
import { clockOffset, relayNow } from '../../../src/tracker/page/clock.ts';
import { NO_VISITOR } from '../../../src/tracker/record/visitor.ts';
import { ENDPOINT } from '../../fakes/browser/browser.ts';
import { fakePage } from '../../fakes/browser/page.ts';
import { accepted, fakeTime, scriptedRelay } from '../../fakes/platform.ts';
import { ADDED_TO_CART, idOf, storedEntry } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T15:45:00Z');
const DEVICE = '0b9d3c5e-8f1a-4c2b-9d7e-6a5b4c3d2e1f';
const QUEUED = JSON.stringify({ response: { status: 'queued' }, accepted: 1, duplicates: 0, rejected: [] });
const refusal = (code: string) => JSON.stringify({ error: { code, message: 'why' }, now: NOW });

/** A page whose relay answers as the script says. */
function pageWith(...script: Parameters<typeof scriptedRelay>) {
  const { page, time, relay } = fakePage({}, { time: fakeTime(NOW), relay: scriptedRelay(...script) });
  page.visitor = { ...NO_VISITOR, device: DEVICE };
  return { page, time, relay };
}

/** Puts this in the place of happy-dom's, which says that it is automated. */
function withNavigator(navigator: object | undefined): void {
  vi.stubGlobal('navigator', navigator);
  onTestFinished(() => void vi.unstubAllGlobals());
}

const entry = storedEntry(18, { at: NOW - 42_900 });

describe('the meaning of an answer', () => {
  const settled = { rejected: [], duplicates: 0, repaired: [] };
  const foreign = { reason: 'unexpected_response', suspects: 'maybe' };
  const refused = { reason: 'unexpected_response', suspects: 'sure', message: 'why' };

  test.each([
    [202, QUEUED, null, settled],
    [200, QUEUED, null, settled],
    [200, '<html>Sign in to the Wi-Fi</html>', null, foreign],
    [200, '{"ok":true}', null, foreign],
    [200, 'null', null, foreign],
    [204, '', null, foreign],
    [400, refusal('invalid_batch'), null, refused],
    [413, refusal('too_large'), null, refused],
    [400, refusal('unsupported_version'), null, { reason: 'unexpected_response', suspects: false }],
    [400, '<html>Bad Request</html>', null, foreign],
    [401, refusal('invalid_token'), null, { reason: 'token_required', suspects: false }],
    [403, refusal('origin_not_allowed'), null, { reason: 'forbidden', suspects: false }],
    [403, '<html>Blocked</html>', null, foreign],
    [404, '', null, foreign],
    [408, '', null, { reason: 'unavailable', suspects: 'maybe' }],
    [429, '', '7', { reason: 'rate_limited', afterMs: 7_000, suspects: false }],
    [429, '', 'Mon, 23 Nov 2026 15:46:00 GMT', { reason: 'rate_limited', afterMs: 60_000, suspects: false }],
    [503, refusal('unavailable'), '10', { reason: 'unavailable', afterMs: 10_000, suspects: false }],
    [500, '', null, { reason: 'unavailable', suspects: 'maybe' }],
  ])('%d %s', async (status, body, retryAfter, outcome) => {
    const headers: HeadersInit = retryAfter ? { 'Retry-After': retryAfter } : {};
    const { page } = pageWith(() => new Response(body || null, { status, headers }));

    const { afterMs = Number.NaN, ...rest } = await sendBatch(page, [entry], true);

    // Nothing is asked for by what is not a positive number.
    expect({ ...rest, ...(afterMs > 0 && { afterMs }) }).toEqual(outcome);
  });
});

test('a batch is posted as in the protocol, without a cookie and a preflight', async () => {
  withNavigator({ webdriver: false });
  const { page, relay } = pageWith();

  await sendBatch(page, [entry], true);

  expect(relay.requests[0]).toMatchObject({
    url: `${ENDPOINT}/v1/batch`,
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
      },
    ],
  });
});

test('the age is sent for a record of this page, and for others once an answer has told the time', async () => {
  const { page } = pageWith();
  const ours = storedEntry(1, { id: `${page.session}.1`, mono: page.time.mono() - 7_000, at: 0 });
  const ages = () => {
    const [, { body }] = relayRequest(page, [entry, ours], true);
    return JSON.parse(String(body)).records.map(({ age }: { readonly age?: number }) => age);
  };

  const before = ages();
  page.isClockConfirmed = true;

  expect(before).toEqual([undefined, 7_000]);
  expect(ages()).toEqual([42_900, 7_000]);
});

test.each<[string, object | undefined, boolean | undefined]>([
  ['a program drives', { webdriver: true }, true],
  ['a visitor uses', { webdriver: false }, undefined],
  ['does not know the property', {}, undefined],
  ['has no navigator', undefined, undefined],
  ['has an object of the page’s own in its place', { webdriver: {} }, true],
])('a browser that %s', (_, navigator, bot) => {
  const { page } = pageWith();
  withNavigator(navigator);

  for (const leavesNow of [true, false]) {
    const [, { body }] = relayRequest(page, [entry], leavesNow);

    expect(JSON.parse(String(body)).bot).toBe(bot);
  }
});

test('a request with an unknown send time does not give one', () => {
  const { page } = pageWith();

  const [, { body }] = relayRequest(page, [entry], false);

  expect(JSON.parse(String(body))).not.toHaveProperty('sentAt');
});

test('a request keeps alive only if asked to', async () => {
  const { page, relay } = pageWith();

  await sendBatch(page, [entry], false);

  expect(relay.requests[0]?.init.keepalive).toBe(false);
});

test('the answer’s body is read to its end, because otherwise the browser keeps the keepalive budget', async () => {
  const answer = accepted([1]);
  const { page } = pageWith(() => answer);

  await sendBatch(page, [entry], true);

  expect(answer.bodyUsed).toBe(true);
});

test.each([
  ['an acceptance', () => accepted([1], { now: NOW - 7_200_000 })],
  [
    'a refusal',
    () => Response.json({ error: { code: 'unavailable' }, now: NOW - 7_200_000 }, { status: 503 }),
  ],
])('the relay’s time is read from %s', async (_, answer) => {
  const { page } = pageWith(answer);

  await sendBatch(page, [entry], true);

  expect([clockOffset(page), page.isClockConfirmed]).toEqual([7_200_000, true]);
});

test('the relay told its time half a round trip ago', async () => {
  const { page, time } = pageWith(() => {
    time.set(NOW + 2_000);
    return accepted([1], { now: NOW + 1_000 });
  });
  time.shift(7_200_000);

  await sendBatch(page, [entry], true);

  expect([relayNow(page), clockOffset(page)]).toEqual([NOW + 2_000, 7_200_000]);
});

test.each(['"soon"', 'null', '{}'])('an invalid time, such as %s, teaches nothing', async (now) => {
  const body = `{"response":{"status":"queued"},"rejected":[],"now":${now}}`;
  const { page } = pageWith(() => new Response(body, { status: 202 }));

  expect(await sendBatch(page, [entry], true)).not.toHaveProperty('reason');
  expect([clockOffset(page), page.isClockConfirmed]).toEqual([undefined, undefined]);
});

test('a failing network does not reject', async () => {
  const { page } = pageWith(() => new TypeError('Failed to fetch'));

  expect(await sendBatch(page, [entry], true)).toEqual({ reason: 'network' });
});

test('a record from the future has no negative age', () => {
  const { page } = pageWith();
  page.isClockConfirmed = true;

  const [, { body }] = relayRequest(page, [storedEntry(1, { at: NOW + 5_000 })], true);

  expect(JSON.parse(String(body))).toMatchObject({ records: [{ age: 0 }] });
});

describe('a request that never ends', () => {
  const never = () => new Promise<Response>(() => {});

  test('is aborted, and abandoned even if that does not help', async () => {
    const { signal } = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(signal);
    onTestFinished(() => timeout.mockRestore());
    const { page, time, relay } = pageWith(never);

    const outcome = sendBatch(page, [entry], true);
    await time.pass(15_000);

    expect(await outcome).toEqual({ reason: 'network' });
    expect(timeout).toHaveBeenCalledExactlyOnceWith(15_000);
    expect(relay.requests[0]?.init.signal).toBe(signal);
  });

  test('is abandoned even by a browser without abort by time', async () => {
    vi.stubGlobal('AbortSignal', class {});
    onTestFinished(() => void vi.unstubAllGlobals());
    const { page, time, relay } = pageWith(never);

    const outcome = sendBatch(page, [entry], true);
    await time.pass(15_000);

    expect(await outcome).toEqual({ reason: 'network' });
    expect(relay.requests).toHaveLength(1);
  });
});

test('a wrapped fetch that throws is a failure like any other', async () => {
  const { page } = pageWith();
  const wrapped = {
    ...page,
    fetch: () => {
      throw new Error('of the tool’s own');
    },
  };

  expect(await sendBatch(wrapped, [entry], true)).toEqual({ reason: 'network' });
});
