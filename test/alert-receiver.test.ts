import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ALERT_NAMES, inWords, type Notice } from '../src/edge/alerts/alert.ts';
import { bodyOf } from '../src/edge/alerts/messages.ts';
import { fingerprintOf, LIVE_PORTS, type Receiver, sendAll } from '../src/edge/alerts/send.ts';
import { parseWebhooks, type Webhook } from '../src/edge/settings/alert-webhook.ts';
import { sample } from './samples/samples.ts';

const NOW = Date.parse('2026-11-30T03:00:00Z');
const SECRET = 'an-alert-secret-of-enough-characters';

type Received = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string };

/** A real receiver, which answers as the test says. */
let answer: (response: ServerResponse, received: Received) => void;
let received: Received[] = [];
const server = createServer(async (request, response) => {
  const body = await text(request);
  const got = { path: request.url ?? '', headers: request.headers, body };
  received.push(got);
  answer(response, got);
});
let address: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received = [];
  answer = (response) => response.end();
});

function notice(fields: Partial<Notice> = {}): Notice {
  const state = fields.state ?? 'begins';
  return {
    id: `suspended-1-1-${state}`,
    alert: 'suspended',
    state,
    since: NOW,
    at: NOW,
    figures: { status: 401 },
    ...fields,
  };
}

const ENDED = notice({ state: 'ends', at: NOW + 600_000 });
const receiver = (secret: string | undefined = SECRET): Receiver => ({
  webhook: { form: 'json', url: `${address}/hook` },
  secret,
});
const PORTS = { ...LIVE_PORTS, now: () => NOW };
/** A clock on which ten seconds pass at once. */
const IMPATIENT = { ...PORTS, timeout: () => AbortSignal.timeout(100) };

const webhookOf = (text: string): Webhook => {
  const [webhook] = parseWebhooks(text) ?? [];
  if (webhook === undefined) throw new Error(`not a webhook: ${text}`);
  return webhook;
};

describe('a receiver that answers 2xx', () => {
  test('gets all messages in order, each with its id', async () => {
    const attempt = await sendAll([notice(), ENDED], receiver(), PORTS);

    expect(attempt).toEqual({
      delivered: ['suspended-1-1-begins', 'suspended-1-1-ends'],
      status: 200,
      retryAfterMs: undefined,
      failed: false,
    });
    expect(received.map(({ headers }) => headers['webengage-relay-id'])).toEqual(attempt.delivered);
    expect(received.map(({ body }) => JSON.parse(body).id)).toEqual(attempt.delivered);
  });

  test('can check the signature: HMAC-SHA256 of the time, a dot, and the body', async () => {
    await sendAll([notice()], receiver(), PORTS);

    const [{ headers, body } = { headers: {} as IncomingHttpHeaders, body: '' }] = received;
    const seconds = NOW / 1_000;
    const expected = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex');
    expect(headers['webengage-relay-signature']).toBe(`t=${seconds},v1=${expected}`);
  });

  test('gets no signature if there is no secret', async () => {
    await sendAll([notice()], { webhook: receiver().webhook, secret: undefined }, PORTS);

    expect(received[0]?.headers).not.toHaveProperty('webengage-relay-signature');
  });
});

describe('a receiver that fails', () => {
  test.each([500, 503, 400, 404, 410])(
    'with %d gets the message again, and no later one before',
    async (status) => {
      answer = (response) => response.writeHead(status).end('no');

      expect(await sendAll([notice(), ENDED], receiver(), PORTS)).toEqual({
        delivered: [],
        status,
        retryAfterMs: undefined,
        failed: true,
      });
      expect(received).toHaveLength(1);
    },
  );

  test('with 429 says how long to wait', async () => {
    answer = (response) => response.writeHead(429, { 'Retry-After': '120' }).end();

    expect(await sendAll([notice()], receiver(), PORTS)).toMatchObject({
      status: 429,
      retryAfterMs: 120_000,
    });
  });

  test.each([301, 302, 303, 307, 308])('with a redirect %d, which is not followed', async (status) => {
    answer = (response) => response.writeHead(status, { Location: `${address}/elsewhere` }).end();

    expect(await sendAll([notice()], receiver(), PORTS)).toMatchObject({
      delivered: [],
      status,
      failed: true,
    });
    expect(received.map(({ path }) => path)).toEqual(['/hook']);
  });

  test('by no answer is given up in time', async () => {
    answer = () => {};

    expect(await sendAll([notice()], receiver(), IMPATIENT)).toMatchObject({ status: 0, failed: true });
  });

  test('by a body that never ends is given up too, because its status is known', async () => {
    answer = (response) => response.writeHead(200).write('a');

    expect(await sendAll([notice()], receiver(), IMPATIENT)).toMatchObject({ status: 200, failed: false });
  });

  test('by a closed connection', async () => {
    answer = (response) => response.socket?.destroy();

    expect(await sendAll([notice()], receiver(), PORTS)).toMatchObject({ status: 0, failed: true });
  });

  test('in the middle keeps what has arrived', async () => {
    answer = (response, { body }) => response.writeHead(JSON.parse(body).state === 'ends' ? 500 : 200).end();

    expect(await sendAll([notice(), ENDED], receiver(), PORTS)).toMatchObject({
      delivered: ['suspended-1-1-begins'],
      status: 500,
      failed: true,
    });
  });
});

describe('docs/guides/alerts.md', () => {
  test('shows a message as it is sent', () => {
    const shown = sample('docs/guides/alerts.md#the-message json').text;
    const since = Date.parse('2026-11-30T06:00:00Z');

    const sent = bodyOf(
      notice({ id: `suspended-${since}-7-begins`, since, at: since }),
      webhookOf('https://example.com/hook'),
    );

    expect(JSON.parse(sent)).toEqual(JSON.parse(shown));
    expect(Object.keys(JSON.parse(sent))).toEqual(Object.keys(JSON.parse(shown)));
  });

  test('shows how to check a signature: a good one is accepted, and a forged or old one refused', async () => {
    const { text } = sample('docs/guides/alerts.md#checking-the-signature js');
    const { isFromRelay } = await import(
      /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(text)}`
    );
    await sendAll([notice()], receiver(), { ...PORTS, now: Date.now });
    await sendAll([notice()], receiver(), { ...PORTS, now: () => Date.now() - 301_000 });
    const [fresh, old] = received.map(({ headers, body }) => ({
      header: `${headers['webengage-relay-signature']}`,
      body,
    }));
    if (fresh === undefined || old === undefined) throw new Error('two messages were sent');

    expect(isFromRelay(fresh.header, fresh.body, SECRET)).toBe(true);
    expect(isFromRelay(old.header, old.body, SECRET)).toBe(false);
    expect(isFromRelay(fresh.header, `${fresh.body} `, SECRET)).toBe(false);
    expect(isFromRelay(fresh.header, fresh.body, `${SECRET}!`)).toBe(false);
    // The signature of one time, with another time in front.
    expect(
      isFromRelay(old.header.replace(/t=\d+/, `t=${Math.floor(Date.now() / 1_000)}`), old.body, SECRET),
    ).toBe(false);
    for (const header of [undefined, null, '', 't=,v1=', 'v1=00', `${fresh.header},v1=00`])
      expect(isFromRelay(header, fresh.body, SECRET)).toBe(false);
  });
});

describe('the form of a message', () => {
  test('is JSON with figures and words, unless the host asks for another one', () => {
    const body = JSON.parse(bodyOf(notice(), webhookOf('https://example.com/hook')));

    expect(body).toMatchObject({
      id: 'suspended-1-1-begins',
      alert: 'suspended',
      state: 'begins',
      since: '2026-11-30T03:00:00.000Z',
      figures: { status: 401 },
      severity: 'critical',
      remedy: expect.stringContaining('WEBENGAGE_API_KEY'),
      link: expect.stringMatching(/runbooks\.md#suspended$/),
    });
  });

  test('is a text for Slack, with a link to the runbook', () => {
    const slack = webhookOf('https://hooks.slack.com/services/T0/B0/x');

    const begins = JSON.parse(bodyOf(notice(), slack));
    const ends = JSON.parse(bodyOf(ENDED, slack));

    expect(Object.keys(begins)).toEqual(['text']);
    expect(begins.text).toMatch(/Deliveries are suspended.*What to do:.*runbooks\.md#suspended\|Runbook>$/s);
    expect(ends.text).toMatch(/Over: Deliveries are suspended.*It lasted 10 minutes/s);
  });

  test('is an event for PagerDuty, whose end resolves the incident that its begin opened', () => {
    const key = 'R'.repeat(32);
    const pagerDuty = webhookOf(`https://events.pagerduty.com/v2/enqueue#${key}`);

    const begins = JSON.parse(bodyOf(notice(), pagerDuty));
    const ends = JSON.parse(bodyOf(ENDED, pagerDuty));

    expect(pagerDuty.url).toBe('https://events.pagerduty.com/v2/enqueue');
    expect(begins).toMatchObject({
      routing_key: key,
      dedup_key: 'suspended-1-1',
      event_action: 'trigger',
      payload: { severity: 'critical', source: 'webengage-relay', custom_details: { status: 401 } },
      links: [{ text: 'Runbook' }],
    });
    expect(ends).toEqual({ routing_key: key, dedup_key: 'suspended-1-1', event_action: 'resolve' });
  });
});

test('an address with another path or routing key is another destination', async () => {
  const key = 'R'.repeat(32);
  const addresses = [
    'https://example.com/a',
    'https://example.com/b',
    `https://events.pagerduty.com/v2/enqueue#${key}`,
    `https://events.pagerduty.com/v2/enqueue#${key.toLowerCase()}`,
  ];

  const prints = await Promise.all(addresses.map((text) => fingerprintOf(webhookOf(text))));

  expect(new Set(prints).size).toBe(addresses.length);
});

describe('ALERT_WEBHOOK', () => {
  test('holds addresses separated by commas or newlines', () => {
    const key = 'a1-_'.repeat(8);
    const text = `https://example.com/hook?relay=eu,\n https://hooks.slack.com/services/x\nhttps://events.eu.pagerduty.com/v2/enqueue#${key}`;

    expect(parseWebhooks(text)).toEqual([
      { form: 'json', url: 'https://example.com/hook?relay=eu' },
      { form: 'slack', url: 'https://hooks.slack.com/services/x' },
      { form: 'pagerduty', url: 'https://events.eu.pagerduty.com/v2/enqueue', routingKey: key },
    ]);
  });

  test.each(['http://127.0.0.1:9000/x', 'http://localhost:9000/', 'http://[::1]:9000/'])(
    'may be this machine in development: %s',
    (text) => {
      expect(parseWebhooks(text)).toEqual([{ form: 'json', url: text }]);
    },
  );

  test.each([
    '',
    ',',
    'example.com/hook',
    'http://example.com/hook',
    'http://127.0.0.1.example.com/',
    'ftp://example.com',
    'javascript:alert(1)',
    'https://user:password@example.com/hook',
    'https://user@example.com/hook',
    'https://events.pagerduty.com/v2/enqueue',
    'https://events.pagerduty.com/v2/enqueue#short',
    'https://example.com/hook,nonsense',
    Array(6).fill('https://example.com/hook').join(),
  ])('may not be “%s”', (text) => {
    expect(parseWebhooks(text)).toBeUndefined();
  });
});

test('a message holds no word that is not ours: no id, no address, no value of a setting', () => {
  const notices = ALERT_NAMES.flatMap((alert) =>
    (['begins', 'ends'] as const).map((state) => notice({ alert, state, figures: {} })),
  );

  for (const each of notices) {
    const { severity, title, what, why, remedy, link } = inWords(each);
    for (const text of [title, what, why, remedy]) expect(text).toMatch(/^[\w\s.,:;?/%’-]+$/);
    expect(['critical', 'warning']).toContain(severity);
    expect(link.endsWith(`#${each.alert}`)).toBe(true);
  }
});

test.each([
  [401, /WEBENGAGE_API_KEY/],
  [403, /WEBENGAGE_API_KEY/],
  [404, /WEBENGAGE_REGION/],
  [301, /WEBENGAGE_REGION/],
  [400, /WEBENGAGE_LICENSE_CODE/],
])('a suspension by %d names its remedy', (status, remedy) => {
  expect(inWords(notice({ figures: { status } })).remedy).toMatch(remedy);
});
