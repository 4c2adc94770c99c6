import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RUNBOOKS } from '../../../src/edge/alerts/alert.ts';
import { REMEDIES } from '../../game-day/remedies.ts';
import { hasPrometheus } from '../../promtool.ts';
import { sample } from '../../samples/samples.ts';
import { eventsReceived } from '../received.ts';
import { type Stack, startStack } from '../stack.ts';
import { type AlertReceiver, startAlertReceiver } from './alert-receiver.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

// The virtual game day plays all faults. Here real processes play one, over real connections. Only the five quiet
// minutes before the end of the alert are skipped: the relay's clock is set ahead.

const SECRET = randomBytes(24).toString('hex');
const METRICS_TOKEN = randomBytes(24).toString('hex');

// Less than the five minutes by which a receiver's clock may differ. An alert ends after five quiet minutes.
const AHEAD_MS = 290_000;

// After some failures the relay retries within 16 seconds, and a scrape may get figures that are 10 seconds old.
const SOON = { timeout: 40_000, interval: 500 };

let receiver: AlertReceiver;
let stack: Stack;
let prometheus: Prometheus;
const sent: string[] = [];

beforeAll(async () => {
  if (!hasPrometheus) return;
  receiver = await startAlertReceiver();
  stack = await startStack({
    lingerMs: 0,
    relayEntry: 'test/edge/fixtures/relay-with-clock.ts',
    settings: { ALERT_WEBHOOK: receiver.url, ALERT_SECRET: SECRET, METRICS_TOKEN, HEALTH_STALE_MS: '3000' },
  });
  prometheus = await startPrometheus(stack.relayUrl, METRICS_TOKEN, {
    scrapeSeconds: 1,
    changeRules: (text) => text.replaceAll(/for: \d+m/g, 'for: 1s').replace('> 600', '> 3'),
  });
});

afterAll(async () => {
  await prometheus?.stop();
  await stack?.stop();
  receiver?.stop();
});

async function sendEvent(): Promise<void> {
  const id = `${randomBytes(16).toString('base64url')}.1`;
  const records = [{ kind: 'event', id, userId: 'somebody', eventName: 'Seen', eventData: { id } }];
  const answer = await fetch(`${stack.relayUrl}/v1/batch`, {
    method: 'POST',
    body: JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device: randomUUID(), records }),
    headers: { Origin: stack.siteUrl },
  });
  expect(answer.status).toBe(202);
  sent.push(id);
}

/** WebEngage has each event once. */
async function expectEachOnce(): Promise<void> {
  const arrived = await eventsReceived(stack, sent.length);
  expect(arrived.map(({ eventData }) => eventData?.id).toSorted()).toEqual(sent.toSorted());
}

/** The cron trigger of a minute in which even the outboxes of a quiet relay are asked. */
async function runWatchdog(): Promise<void> {
  await (await fetch(`${stack.relayUrl}/cdn-cgi/handler/scheduled?time=0`)).text();
}

const messages = () => receiver.got().map(({ body }) => JSON.parse(body));

/** The states of the messages about `stale`, after a run of the watchdog. */
async function statesOfStale(): Promise<readonly string[]> {
  await runWatchdog();
  return messages()
    .filter(({ alert }) => alert === 'stale')
    .map(({ state }) => state);
}

/** The rules that fire at this moment. */
const firing = async () =>
  (await prometheus.rules()).filter(({ state }) => state === 'firing').map(({ name }) => name);

async function setClockAhead(): Promise<void> {
  await fetch(`${stack.relayUrl}/clock`, { method: 'POST', body: `${AHEAD_MS}` });
}

describe.skipIf(!hasPrometheus)('WebEngage is down', () => {
  test('an alert arrives, signed, and a rule of Prometheus fires; both end, and every event arrives once', async () => {
    await sendEvent();
    await eventsReceived(stack, 1);
    await expect.poll(() => prometheus.target(), SOON).toMatchObject({ health: 'up' });
    expect(await statesOfStale()).toEqual([]);
    expect(await firing()).toEqual([]);

    await stack.order({ fault: 'down' });
    for (let event = 0; event < 5; event++) await sendEvent();
    await expect.poll(statesOfStale, SOON).toEqual(['begins']);
    await expect.poll(firing, SOON).toContain('WebEngageRelayStale');

    await stack.order({});
    await sendEvent();
    await expectEachOnce();
    expect(await statesOfStale()).toEqual(['begins']);
    await expect.poll(firing, SOON).not.toContain('WebEngageRelayStale');
    await setClockAhead();
    await expect.poll(statesOfStale, SOON).toEqual(['begins', 'ends']);
    // Nothing was sent again meanwhile.
    await expectEachOnce();

    const { text } = sample('docs/guides/alerts.md#checking-the-signature js');
    const { isFromRelay } = await import(
      /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(text)}`
    );
    for (const { signature, body } of receiver.got()) expect(isFromRelay(signature, body, SECRET)).toBe(true);
    const [begins, ends] = messages().filter(({ alert }) => alert === 'stale');
    expect(begins.remedy).toContain(REMEDIES.stale);
    for (const { link, since } of [begins, ends])
      expect({ link, since }).toEqual({ link: `${RUNBOOKS}#stale`, since: begins.since });
    expect(messages().filter(({ alert }) => !['stale', 'doubles_possible'].includes(alert))).toEqual([]);
  }, 150_000);
});
