import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardPanels } from '../../fakes/metrics/dashboard.ts';
import { readExposition } from '../../fakes/metrics/exposition.ts';
import { hasPrometheus, promtool } from '../../promtool.ts';
import { eventsReceived } from '../received.ts';
import { type Stack, startStack } from '../stack.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

const METRICS_TOKEN = randomBytes(24).toString('hex');
const SCRAPE_SECONDS = 2;
// A scrape within 10 seconds of the one before gets the same answer.
const SEEN_WITHIN = { timeout: 40_000, interval: 500 };

let stack: Stack;
let prometheus: Prometheus;

beforeAll(async () => {
  if (!hasPrometheus) return;
  stack = await startStack({ settings: { METRICS_TOKEN } });
  prometheus = await startPrometheus(stack.relayUrl, METRICS_TOKEN, { scrapeSeconds: SCRAPE_SECONDS });
});

afterAll(async () => {
  await prometheus?.stop();
  await stack?.stop();
});

async function send(eventNames: readonly string[], origin = stack.siteUrl): Promise<number> {
  const session = randomBytes(16).toString('base64url');
  const records = eventNames.map((eventName, index) => ({
    kind: 'event',
    id: `${session}.${index + 1}`,
    userId: 'somebody',
    eventName,
  }));
  const answer = await fetch(`${stack.relayUrl}/v1/batch`, {
    method: 'POST',
    body: JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device: randomUUID(), records }),
    headers: { Origin: origin },
  });
  await answer.text();
  return answer.status;
}

/** The only value of a query; undefined while there is none. */
async function numberOf(query: string): Promise<number | undefined> {
  const [series] = await prometheus.query(query);
  return series === undefined ? undefined : Number(series.values[0]?.[1]);
}

const expectValue = (query: string, value: number) =>
  expect.poll(() => numberOf(query), { ...SEEN_WITHIN, message: query }).toBe(value);

describe.skipIf(!hasPrometheus)('a real Prometheus', () => {
  test('scrapes the relay while records flow, and its counts are those that WebEngage received', async () => {
    await expect.poll(() => prometheus.target(), SEEN_WITHIN).toMatchObject({ health: 'up', lastError: '' });
    await stack.order({ refuse: { field: 'eventName', value: 'Refused' } });

    for (let flush = 0; flush < 10; flush++) expect(await send(Array(5).fill('Seen'))).toBe(202);
    expect(await send(['Refused'])).toBe(202);
    expect(await send(['Not of ours'], 'https://evil.example')).toBe(403);
    await eventsReceived(stack, 50);

    await expectValue('sum(webengage_relay_records_received_total{lane="live",outcome="accepted"})', 51);
    await expectValue('sum(webengage_relay_records_ended_total{end="delivered"})', 50);
    await expectValue('sum(webengage_relay_records_ended_total{end="dead_letter"})', 1);
    await expectValue('sum(webengage_relay_dead_letters)', 1);
    await expectValue('sum(webengage_relay_backlog_records)', 0);
    await expectValue('sum(webengage_relay_delivery_delay_seconds_count)', 50);
    await expectValue('sum(webengage_relay_batches_refused_total{reason="origin_not_allowed"})', 1);
    await expectValue('max(webengage_relay_allowance_calls)', 500);
    const calls = (await stack.calls()).filter(({ status }) => status < 300).length;
    await expectValue('sum(webengage_relay_calls_total{outcome="taken"})', calls);
    // The Worker hands its last batch over with its next one.
    expect(await numberOf('sum(webengage_relay_batch_duration_seconds_count)')).toBeGreaterThanOrEqual(9);
  }, 180_000);

  test('answers every query of the dashboard, and evaluates every rule', async () => {
    const queries = dashboardPanels().flatMap(({ targets }) => targets.map(({ expr }) => expr));

    for (const query of queries) expect(await prometheus.query(query), query).toBeInstanceOf(Array);
    const evaluated = queries.filter((query) => !/rate\(|increase\(/.test(query));
    for (const query of evaluated) expect(await prometheus.query(query), query).not.toEqual([]);
    expect(await numberOf('count(ALERTS{alertname="WebEngageRelayDown"})')).toBeUndefined();
    await expectValue('job:webengage_relay_backlog_records:sum', 0);
    const rules = await prometheus.rules();
    expect(rules.length).toBeGreaterThan(20);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  test('reports a relay whose token was changed as down', async () => {
    const stranger = await startPrometheus(stack.relayUrl, 'x'.repeat(32), { scrapeSeconds: 1 });
    try {
      await expect
        .poll(() => stranger.target(), SEEN_WITHIN)
        .toMatchObject({ health: 'down', lastError: expect.stringContaining('404') });
    } finally {
      await stranger.stop();
    }
  });

  test('finds nothing to criticize in the text, by its own parser', async () => {
    const answer = await fetch(`${stack.relayUrl}/metrics`, {
      headers: { Authorization: `Bearer ${METRICS_TOKEN}` },
    });
    const text = await answer.text();

    expect(promtool(['check', 'metrics'], text)).toEqual({ ok: true, said: '' });
    expect(readExposition(text).samples.length).toBeGreaterThan(60);
    expect(text).not.toContain('somebody');
  });
});
