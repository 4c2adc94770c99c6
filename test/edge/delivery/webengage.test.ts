import { afterEach, describe, expect, test, vi } from 'vitest';
import { type UpstreamCall, webEngage } from '../../../src/edge/delivery/webengage.ts';
import type { RelaySettings } from '../../../src/edge/settings/settings.ts';
import { FLOORS } from '../../fakes/outbox.ts';
import { ADDED_TO_CART, idOf, JOHN } from '../../fakes/records.ts';

const SETTINGS: RelaySettings = {
  apiKeys: { primary: 'the-key', secondary: 'the-other-key' },
  licenseCode: '~47b6655b',
  upstream: 'https://api.webengage.com',
  allowedOrigins: ['*'],
  serverTokens: [],
  requestsPerMinute: 500,
  laneFloors: FLOORS,
  lingerMs: 1_000,
  maxSubrequests: 10_000,
  healthStaleMs: 300_000,
  shards: 1,
  maxBacklog: 1_000,
  maxBacklogPerShard: 1_000,
  identity: { mode: 'off' },
  bots: 'count',
  recordsPerMinutePerShard: 12_500,
};

afterEach(() => {
  vi.unstubAllGlobals();
});

const EVENT: UpstreamCall = {
  kind: 'event',
  requestId: '0123456789abcdef',
  key: 'primary',
  records: [{ id: idOf(1), ...ADDED_TO_CART }],
};

/** Calls with the network played by one answer; tells what was sent. */
async function callWith(answer: () => Response | Promise<Response>, call = EVENT) {
  const sent: Request[] = [];
  vi.stubGlobal('fetch', async (input: Request, init?: RequestInit) => {
    sent.push(new Request(input, init));
    return answer();
  });
  return { outcome: await webEngage(SETTINGS)(call), sent };
}

test('a batch goes to its endpoint with the key and the id, and contains only checked records', async () => {
  const { outcome, sent } = await callWith(() => Response.json({ response: { status: 'queued' } }));
  const [request] = sent;

  expect(outcome).toMatchObject({ status: 200, says: 'queued' });
  expect(request?.url).toBe('https://api.webengage.com/v1/accounts/~47b6655b/bulk-events');
  expect(request?.redirect).toBe('manual');
  expect(Object.fromEntries(request?.headers ?? [])).toEqual({
    authorization: 'Bearer the-key',
    'content-type': 'application/json',
    'x-request-id': '0123456789abcdef',
  });
  expect(await request?.json()).toEqual({ events: [ADDED_TO_CART] });
});

test('users go to the endpoint for users', async () => {
  const call: UpstreamCall = { ...EVENT, kind: 'user', records: [{ id: idOf(1), ...JOHN }] };

  const { sent } = await callWith(() => new Response('{}'), call);

  expect(sent[0]?.url).toMatch(/bulk-users$/);
  expect(await sent[0]?.json()).toEqual({ users: [JOHN] });
});

test('a call is made once, because the outbox retries, under the same id', async () => {
  const { outcome, sent } = await callWith(() => new Response('<html>Bad gateway</html>', { status: 503 }));

  expect(outcome).toMatchObject({ status: 503, words: 'Bad gateway' });
  expect(sent).toHaveLength(1);
});

test('the requested waiting time is returned as it was written', async () => {
  const { outcome } = await callWith(
    () => new Response('', { status: 429, headers: { 'Retry-After': '48' } }),
  );

  expect(outcome).toMatchObject({ status: 429, retryAfter: '48' });
});

test('no answer within ten seconds is an unknown outcome', async () => {
  const tenSeconds = new AbortController();
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(tenSeconds.signal);
  vi.stubGlobal(
    'fetch',
    ({ signal }: Request) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        tenSeconds.abort();
      }),
  );

  const outcome = await webEngage(SETTINGS)(EVENT);
  timeout.mockRestore();

  expect(outcome).toMatchObject({ status: 0 });
});

test('a cut connection is an unknown outcome', async () => {
  const { outcome } = await callWith(() => Promise.reject(new TypeError('Network connection lost')));

  expect(outcome).toMatchObject({ status: 0 });
});

test.each<[string, BodyInit, string | undefined]>([
  ['WebEngage’s', '{"response":{"status":"queued"}}', 'queued'],
  ['another status', '{"response":{"status":"accepted"}}', 'accepted'],
  ['an error', '{"response":{"status":"error","message":"no"}}', 'error'],
  ['no status', '{"response":null}', ''],
  ['a page', '<h1>We are back soon</h1>', undefined],
  ['a list', '[]', undefined],
  ['a text', '"queued"', undefined],
  ['nothing', '', undefined],
  [
    'a body that breaks off',
    new ReadableStream({ start: (body) => body.error(new Error('cut')) }),
    undefined,
  ],
])('the body of a success decides: %s', async (_, body, says) => {
  expect((await callWith(() => new Response(body, { status: 200 }))).outcome).toMatchObject({
    status: 200,
    says,
  });
});

test('a call is as large as its body', async () => {
  const { outcome, sent } = await callWith(() => new Response('{}'));

  expect(outcome.bytes).toBe((await sent[0]?.text())?.length);
});

test('the secondary key is sent if the gate says so', async () => {
  const { sent } = await callWith(() => new Response('{}'), { ...EVENT, key: 'secondary' });

  expect(sent[0]?.headers.get('Authorization')).toBe('Bearer the-other-key');
});

test('the limit in WebEngage’s headers is returned, and missing or invalid headers return nothing', async () => {
  const withHeaders = async (headers: Record<string, string>) =>
    (await callWith(() => new Response('{}', { headers }))).outcome.rateLimit;

  expect(await withHeaders({ 'X-RateLimit-Limit': '500', 'X-RateLimit-Remaining': '17' })).toEqual({
    limit: 500,
    remaining: 17,
  });
  expect(await withHeaders({})).toBeUndefined();
  expect(await withHeaders({ 'X-RateLimit-Limit': '500' })).toBeUndefined();
  expect(await withHeaders({ 'X-RateLimit-Limit': '-1', 'X-RateLimit-Remaining': 'NaN' })).toBeUndefined();
});

describe('the message of a failed answer', () => {
  const wordsOf = async (body: BodyInit, status = 400) =>
    (await callWith(() => new Response(body, { status }))).outcome.words;

  test('is WebEngage’s message', async () => {
    const body = JSON.stringify({
      response: { message: 'Error: eventName cannot be empty.', status: 'error' },
    });

    expect(await wordsOf(body)).toBe('Error: eventName cannot be empty.');
  });

  test('is the text of a gateway’s page in one line otherwise', async () => {
    const page = '<html><style>p{}</style><h1>502</h1>\n<p>Bad  gateway</p><script>alert(1)</script></html>';

    expect(await wordsOf(page, 502)).toBe('502 Bad gateway');
  });

  test('is short, however long the body is', async () => {
    expect((await wordsOf('x'.repeat(1_000_000))).length).toBe(500);
  });

  test('is read no further than needed', async () => {
    let pulled = 0;
    const long = new ReadableStream({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(1_024).fill(0x78));
        if (pulled === 1_000) controller.close();
      },
    });

    expect(await wordsOf(long, 502)).toBe('x'.repeat(500));
    expect(pulled).toBeLessThan(25);
  });

  test('contains no part of a key when the key is cut off', async () => {
    expect(await wordsOf(`${'x'.repeat(495)}the-key`)).toBe(`${'x'.repeat(495)}•••`);
  });

  test('contains neither key if WebEngage echoes one', async () => {
    const body = JSON.stringify({ response: { message: 'Bearer the-key and the-other-key are wrong' } });

    expect(await wordsOf(body)).toBe('Bearer ••• and ••• are wrong');
  });

  test('contains no piece of a key when it is cut off inside one', async () => {
    const page = `<i ${'x'.repeat(16_375)}>the-key and more`;

    expect(page.slice(0, 16_384)).toMatch(/the-k$/);
    expect(await wordsOf(page)).not.toContain('the-k');
  });

  test('is the part of a body that arrived before it broke off', async () => {
    const broken = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('Bad gate')),
      pull: (controller) => controller.error(new Error('cut')),
    });

    expect(await wordsOf(broken, 502)).toBe('Bad gate');
  });
});
