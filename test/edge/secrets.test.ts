import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { webEngage } from '../../src/edge/delivery/webengage.ts';
import { readSettings } from '../../src/edge/settings/settings.ts';
import {
  deadLettersOf,
  delivery,
  GRANTED,
  ingestAt,
  newOutbox,
  OPEN,
  passAt,
  REFUSED,
  relayEnv,
} from '../fakes/outbox.ts';
import { eventRecord } from '../fakes/records.ts';
import { everythingIn, loggedLines } from './logs-and-storage.ts';
import { batchOf, everyAnswer, OPERATOR, testRelay } from './requests.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

// With every sign that JSON, an address or a page writes otherwise than it is.
const SECRETS = {
  WEBENGAGE_API_KEY: 'canary-primary/+=%&<>"\'\\~?#0123456789',
  WEBENGAGE_API_KEY_SECONDARY: 'canary-secondary/+=%&<>"\'\\~?#0123456789',
  ADMIN_TOKEN: 'canary-operator-token-0123456789abcdef',
  SERVER_TOKEN: 'canary-server-token-0123456789abcdef-xyz',
  SERVER_TOKENS: 'orders=canary-orders-token-0123456789abcdef-xyz',
  METRICS_TOKEN: 'canary-metrics-token-0123456789abcdef-xy',
};

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await runInDurableObject(relayEnv.OUTBOX.getByName('1/0'), (_, { storage }) => storage.deleteAlarm());
});

/** All that is left of a secret in a text: any piece of it that could be told from chance. */
function expectNoSecretIn(text: string): void {
  expect(text).not.toContain('canary');
  expect(text).not.toMatch(/0123456789/);
}

test('no answer contains a secret, whatever the request and its outcome, and neither does the log', async () => {
  const logged = loggedLines();

  const answers = await everyAnswer(
    SECRETS,
    `it was ${Object.values(SECRETS).join()}\n    at ${SECRETS.ADMIN_TOKEN}`,
  );

  for (const answer of answers) {
    const body = new TextDecoder().decode(await answer.arrayBuffer());
    expectNoSecretIn(`${answer.status} ${JSON.stringify([...answer.headers])} ${body}`);
  }
  expect(logged()).toContain('request_failed');
  expectNoSecretIn(logged());
});

const html = (text: string) =>
  text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`).replaceAll('&#38;', '&amp;');

describe('a WebEngage that echoes the key', () => {
  const keyOf = (call: Request) => call.headers.get('Authorization')?.slice('Bearer '.length) ?? '';
  const both = ({ WEBENGAGE_API_KEY, WEBENGAGE_API_KEY_SECONDARY } = SECRETS) =>
    `${WEBENGAGE_API_KEY} and ${WEBENGAGE_API_KEY_SECONDARY}`;

  const ways: readonly (readonly [string, (key: string) => Response])[] = [
    [
      'in its message',
      (key) => Response.json({ response: { message: `Bearer ${key}, ${both()}` } }, { status: 400 }),
    ],
    ['in other JSON', (key) => Response.json({ you: { sent: key, all: both() } }, { status: 400 })],
    ['in plain text', (key) => new Response(`${key} ${both()}`, { status: 400 })],
    ['in a URL', (key) => new Response(`/?key=${encodeURIComponent(key)}`, { status: 400 })],
    [
      'on a page',
      (key) =>
        new Response(
          `<p>${html(key).replaceAll('&#60;', '&lt;').replaceAll('&#62;', '&gt;').replaceAll('&#34;', '&quot;')}</p>`,
          { status: 400 },
        ),
    ],
    [
      'at the end of the part that is kept',
      (key) => new Response(`${'x'.repeat(4_080)}${key}`, { status: 400 }),
    ],
    ['cut off within the key', (key) => new Response(`wrong: ${key.slice(0, -3)}`, { status: 400 })],
    [
      'in headers',
      (key) => new Response('no', { status: 400, headers: { 'X-You-Sent': key, 'Retry-After': key } }),
    ],
    [
      'in the status of a success',
      (key) =>
        new Response(key, {
          status: 200,
          headers: { 'X-RateLimit-Limit': key, 'X-RateLimit-Remaining': key },
        }),
    ],
    [
      'in a redirect',
      (key) =>
        new Response(key, {
          status: 302,
          headers: { Location: `https://evil.example/${encodeURIComponent(key)}` },
        }),
    ],
    ['in a 429', (key) => new Response(key, { status: 429, headers: { 'Retry-After': key } })],
    ['in a 503', (key) => new Response(key, { status: 503 })],
    [
      'in a broken connection',
      (key) => {
        throw new TypeError(`lost: ${key}\n    at ${key}`);
      },
    ],
  ];

  test.each(ways)('%s: the key is neither stored nor logged', async (_, answer) => {
    const logged = loggedLines();
    const stub = newOutbox();
    const read = readSettings({ ...relayEnv, ...SECRETS });
    if (!read.ok) throw new Error(read.message);
    const called: string[] = [];
    vi.stubGlobal('fetch', async (call: Request) => {
      called.push(new URL(call.url).host);
      return answer(keyOf(call));
    });
    const upstream = { calls: [], answer: webEngage(read.settings) };

    await ingestAt(stub, delivery('a', eventRecord(1)), NOW);
    // A few calls: what is taken for the configuration's fault is due at once, as often as the gate says.
    let left = 6;
    const take = async () => (left-- > 0 ? GRANTED : { ...REFUSED, retryInMs: 60_000 });
    await passAt(stub, upstream, NOW + 1_000, { gate: { ...OPEN, take } });

    expect(new Set(called)).toEqual(new Set(['127.0.0.1:9']));
    expectNoSecretIn(await everythingIn(stub));
    expectNoSecretIn(JSON.stringify(await deadLettersOf(stub)));
    expectNoSecretIn(logged());
  });

  test('reveals it to no caller of the outbox: not in its status, its dead letters, the gate or the log', async () => {
    const logged = loggedLines();
    const { request, post } = testRelay();
    const outbox = relayEnv.OUTBOX.getByName('1/0');
    let calls = 0;
    vi.stubGlobal('fetch', async (call: Request) => {
      calls += 1;
      return new Response(`${keyOf(call)}`, { status: [400, 401, 503, 429][calls % 4] ?? 400 });
    });

    await post(batchOf());
    await vi.waitFor(
      async () => {
        await runDurableObjectAlarm(outbox);
        expect(calls).toBeGreaterThan(0);
      },
      { timeout: 10_000 },
    );

    const answers = await Promise.all(
      ['/admin/status', '/admin/dead-letters', '/admin/dead-letters.ndjson', '/health'].map(async (path) =>
        (await request(path, { headers: OPERATOR })).text(),
      ),
    );
    const kept = await Promise.all([
      everythingIn(outbox),
      everythingIn(relayEnv.RATE_GATE.getByName('account')),
    ]);
    for (const text of [...answers, ...kept, logged()])
      expect(text).not.toContain('test-key-that-must-not-leak');
  });
});
