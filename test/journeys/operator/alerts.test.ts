import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Stack, startStack } from '../stack.ts';
import { type AlertReceiver, startAlertReceiver } from './alert-receiver.ts';

// The real runtime and a real receiver: no fake of either stands between them.

const SECRET = randomBytes(24).toString('hex');

/** What `POST /admin/alerts/test` answers. */
type TestedAlerts = {
  readonly sent: readonly { readonly form: string; readonly delivered: boolean; readonly status: number }[];
};

let stack: Stack;
let receiver: AlertReceiver;

beforeAll(async () => {
  receiver = await startAlertReceiver();
  stack = await startStack({
    lingerMs: 0,
    settings: { ALERT_WEBHOOK: receiver.url, ALERT_SECRET: SECRET },
  });
});

afterAll(async () => {
  receiver?.stop();
  await stack?.stop();
});

beforeEach(() => receiver.reset());

async function sendTest(): Promise<TestedAlerts['sent']> {
  const response = await fetch(`${stack.relayUrl}/admin/alerts/test`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${stack.adminToken}` },
  });
  return ((await response.json()) as TestedAlerts).sent;
}

/** The cron trigger of a minute in which even the outboxes of a quiet relay are asked. */
async function runWatchdog(): Promise<void> {
  const response = await fetch(`${stack.relayUrl}/cdn-cgi/handler/scheduled?time=0`);
  expect(await response.text()).toBe('ok');
}

async function sendEvent(): Promise<void> {
  const id = `${randomBytes(16).toString('base64url')}.1`;
  const records = [{ kind: 'event', id, userId: 'somebody', eventName: 'Added to Cart' }];
  const body = JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device: randomUUID(), records });
  const headers = { Origin: stack.siteUrl };
  const response = await fetch(`${stack.relayUrl}/v1/batch`, { method: 'POST', body, headers });
  expect(response.status).toBe(202);
}

async function active(): Promise<readonly string[]> {
  const headers = { Authorization: `Bearer ${stack.adminToken}` };
  const status = await (await fetch(`${stack.relayUrl}/admin/status`, { headers })).json();
  return status.alerts.active.map(({ alert }: { readonly alert: string }) => alert);
}

test('a test message arrives, signed', async () => {
  expect(await sendTest()).toEqual([{ form: 'json', delivered: true, status: 200 }]);

  expect(receiver.got().map(({ body }) => JSON.parse(body).state)).toEqual(['begins', 'ends']);
  for (const { signature, body } of receiver.got()) {
    const [, seconds] = /^t=(\d+),/.exec(signature) ?? [];
    const expected = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex');
    expect(signature).toBe(`t=${seconds},v1=${expected}`);
  }
});

test.each<[string, (response: ServerResponse) => void, number]>([
  ['answers 500', (response) => response.writeHead(500).end('no'), 500],
  ['answers 429', (response) => response.writeHead(429, { 'Retry-After': '60' }).end(), 429],
  ['redirects', (response) => response.writeHead(307, { Location: '/elsewhere' }).end(), 307],
  ['closes the connection', (response) => response.socket?.destroy(), 0],
  ['never answers', () => {}, 0],
])('a receiver that %s is reported, and gets nothing else', async (_, failing, status) => {
  receiver.answerBy(failing);

  expect(await sendTest()).toEqual([{ form: 'json', delivered: false, status }]);
  expect(receiver.got().map(({ path }) => path)).toEqual(['/hook']);
});

test('a suspension is one message, although the machine goes dark', async () => {
  await stack.order({ fault: 401 });
  await sendEvent();
  await expect
    .poll(async () => {
      await runWatchdog();
      return active();
    })
    .toContain('suspended');

  await stack.stopRelay();
  await stack.startRelay();
  await runWatchdog();
  await runWatchdog();

  const messages = receiver.got().map(({ body }) => JSON.parse(body));
  expect(messages.filter(({ alert }) => alert === 'suspended')).toEqual([
    expect.objectContaining({ state: 'begins', figures: { status: 401 } }),
  ]);
  expect(await active()).toContain('suspended');
});
