import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertName } from '../../src/edge/alerts/alert.ts';
import { REMEDIES } from '../game-day/remedies.ts';
import { hasPrometheus } from '../promtool.ts';
import { type AlertReceiver, startAlertReceiver } from './alert-receiver.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import { type Stack, startStack } from './stack.ts';

// Each fault happens in real processes, and its alert begins. The limits are seconds here, and the watchdog runs
// when the test asks. What takes minutes, and the end of each alert, is in test/edge/game-day.

const METRICS_TOKEN = randomBytes(24).toString('hex');
const SETTINGS = {
  METRICS_TOKEN,
  MAX_BACKLOG: '400',
  ALERT_LATE_MS: '3000',
  HEALTH_STALE_MS: '5000',
};
const BATCH = 25;
// Two runs of the watchdog follow within the promised two minutes. On a busy machine they take this long at most.
const BEGINS_WITHIN = { timeout: 45_000, interval: 500 };

let stack: Stack;
let receiver: AlertReceiver;
let prometheus: Prometheus | undefined;
/** Batches without a 202, as browsers keep them. */
let kept: string[] = [];
let sent = 0;

beforeAll(async () => {
  receiver = await startAlertReceiver();
  stack = await startStack({ lingerMs: 0, settings: { ...SETTINGS, ALERT_WEBHOOK: receiver.url } });
  if (hasPrometheus) prometheus = await startPrometheus(stack.relayUrl, METRICS_TOKEN, { scrapeSeconds: 2 });
});

afterAll(async () => {
  receiver?.stop();
  await prometheus?.stop();
  await stack?.stop();
});

/** Each batch is one browser's. */
function visit(batches: number, eventName = 'Seen'): Promise<readonly number[]> {
  for (let n = 0; n < batches; n++) {
    const session = randomBytes(16).toString('base64url');
    const records = Array.from({ length: BATCH }, (_, seq) => ({
      kind: 'event',
      id: `${session}.${seq + 1}`,
      userId: session,
      eventName: seq === 0 ? eventName : 'Seen',
      eventData: { id: `${session}.${seq + 1}` },
    }));
    kept.push(JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device: randomUUID(), records }));
    sent += BATCH;
  }
  return flush();
}

/** Sends all batches that are kept, and returns the answers. */
async function flush(): Promise<readonly number[]> {
  const batches = kept;
  kept = [];
  const statuses: number[] = [];
  for (const body of batches) {
    const headers = { Origin: stack.siteUrl };
    const answer = await fetch(`${stack.relayUrl}/v1/batch`, { method: 'POST', body, headers });
    await answer.text();
    statuses.push(answer.status);
    if (answer.status !== 202) kept.push(body);
  }
  return statuses;
}

/** The cron trigger of a minute in which even the outboxes of a quiet relay are asked. */
async function runWatchdog(): Promise<void> {
  const answer = await fetch(`${stack.relayUrl}/cdn-cgi/handler/scheduled?time=0`);
  await answer.text();
}

const messages = () => receiver.got().map(({ body }) => JSON.parse(body));

async function expectBegins(alert: AlertName): Promise<void> {
  const begun = () => messages().find((each) => each.alert === alert && each.state === 'begins');
  const look = async () => {
    await runWatchdog();
    return begun()?.link;
  };
  await expect.poll(look, { ...BEGINS_WITHIN, message: alert }).toMatch(new RegExp(`runbooks.md#${alert}$`));
  expect(begun()?.remedy).toContain(REMEDIES[alert]);
}

/** The condition of a rule holds for Prometheus: its alert is pending, or fires where it need not wait. */
async function expectRule(name: string): Promise<void> {
  if (prometheus === undefined) return;
  const found = async () => (await prometheus?.query(`ALERTS{alertname="${name}"}`))?.length;
  await expect.poll(found, { ...BEGINS_WITHIN, message: name }).toBe(1);
}

/** WebEngage has each of these events once, and the relay has nothing left. */
async function expectDelivered(events: number): Promise<void> {
  await expect.poll(async () => (await stack.received()).events.length, { timeout: 90_000 }).toBe(events);
  const { events: received } = await stack.received();
  expect(new Set(received.map(({ eventData }) => eventData?.id)).size).toBe(events);
  await expect.poll(stack.backlog, { timeout: 60_000 }).toBe(0);
}

test('with normal traffic no alert begins', async () => {
  expect(await visit(4)).toEqual([202, 202, 202, 202]);
  await expectDelivered(sent);
  for (let run = 0; run < 3; run++) await runWatchdog();
  // A count can only increase for Prometheus after it has seen it once.
  const seen = async () => (await prometheus?.query('webengage_relay_records_ended_total'))?.length;
  if (hasPrometheus) await expect.poll(seen, BEGINS_WITHIN).toBeGreaterThan(0);

  expect(messages()).toEqual([]);
  expect(await prometheus?.query('ALERTS')).toEqual(hasPrometheus ? [] : undefined);
});

test('WebEngage refuses 1 % of the records: the others arrive, and dead_letters begins', async () => {
  await stack.order({ refuse: { field: 'eventName', value: 'Refused' } });
  await visit(1, 'Refused');
  await visit(3);

  await expectBegins('dead_letters');
  await expectRule('WebEngageRelayDeadLetters');
  await expectDelivered(sent - 1);
});

test('a flood: late begins, and everything arrives', async () => {
  await stack.order({ fault: 'slow', delayMs: 4_000 });
  expect(new Set(await visit(12))).toEqual(new Set([202]));

  await expectBegins('late');
  await expectDelivered(sent - 1);
});

test('WebEngage is slow: stale begins, and no event arrives twice', async () => {
  await stack.order({ fault: 'slow', delayMs: 12_000 });
  await visit(2);

  await expectBegins('stale');
  await stack.order({});
  await expectDelivered(sent - 1);
}, 120_000);

test('WebEngage is down: an outbox fills up, filling and full begin, and browsers keep the rest', async () => {
  await stack.order({ fault: 'down' });
  expect(new Set(await visit(13))).toEqual(new Set([202]));
  await expectBegins('filling');
  await expect.poll(async () => (await visit(1)).at(-1), { timeout: 20_000 }).toBe(503);
  await expectBegins('full');
  await expectRule('WebEngageRelayOutboxFull');
  await expectBegins('doubles_possible');

  await stack.order({});
  const left = async () => {
    await flush();
    return kept.length;
  };
  await expect.poll(left, { timeout: 90_000, interval: 1_000 }).toBe(0);
  await expectDelivered(sent - 1);
}, 240_000);

test('the API key is wrong: suspended begins', async () => {
  await stack.order({ acceptKeys: ['another-key'] });
  await visit(2);

  await expectBegins('suspended');
  await expectRule('WebEngageRelaySuspended');
});

test('a missing binding: broken begins, and once it is back everything has arrived', async () => {
  const broken = join(stack.relayStorage, '..', 'wrangler.json');
  const text = readFileSync('wrangler.jsonc', 'utf8');
  const config = text
    .replace(/^.*"name": "OUTBOX".*$/m, '')
    .replace('src/edge/worker.ts', resolve('src/edge/worker.ts'))
    .replace('./dist/public', resolve('dist/public'));
  expect(config).not.toContain('"OUTBOX"');
  writeFileSync(broken, config);
  await stack.stopRelay();
  await stack.order({});
  await stack.startRelay(broken);
  expect(await visit(1)).toEqual([503]);

  expect((await fetch(`${stack.relayUrl}/health`)).status).toBe(503);
  await expectBegins('broken');

  await stack.stopRelay();
  await stack.startRelay();
  expect(await flush()).toEqual([202]);
  await expectDelivered(sent - 1);
}, 240_000);
