import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { SCRAPE_MS, virtualRelay } from './virtual-relay.ts';
import { QUIET_MINUTES, SCENARIOS } from './scenarios.ts';
import { seriesOf } from './series.ts';

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2036-01-07T00:00:00Z') });
});
afterAll(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test.each(SCENARIOS.slice(2))('explore $fault', async (scenario) => {
  const began = performance.now();
  const relay = await virtualRelay((scenario.settings ?? {}) as never);
  relay.traffic(scenario.perMinute);
  await relay.pass(QUIET_MINUTES);
  const { order, deploy, floodPerMinute, poison } = scenario;
  if (order) relay.order(order);
  if (deploy) await relay.deploy(deploy as never);
  relay.traffic(floodPerMinute ?? scenario.perMinute, poison);
  await relay.pass(scenario.minutes);
  const health = await relay.health();
  relay.order(order?.refuse ? order : {});
  if (deploy) await relay.deploy(Object.fromEntries(Object.keys(deploy).map((name) => [name, (env as never)[name]])) as never);
  relay.traffic(scenario.perMinute);
  await relay.pass(scenario.overAfterMinutes);
  relay.traffic(0);
  await relay.pass(3);
  const minutes = relay.scrapes.length * SCRAPE_MS / 60_000;
  const said = await (await (env as never as { PROMTOOL: Fetcher }).PROMTOOL.fetch('http://promtool/', { method: 'POST', body: JSON.stringify({
    evaluation_interval: '1m',
    tests: [{ interval: '30s', input_series: seriesOf(relay.scrapes), promql_expr_test: 
      Array.from({ length: minutes }, (_, minute) => ({ expr: 'ALERTS{alertstate="firing"}', eval_time: `${minute}m`, exp_samples: [] })),
    }],
  }) })).json() as { said: string };
  const fired = new Map<string, number[]>();
  for (const [, minute, got] of said.said.matchAll(/expr: .*?time: (\S+),[^]*?got:([^]*?)(?=expr:|$)/g)) for (const [, name] of got.matchAll(/alertname="(\w+)"/g)) fired.set(name, [...(fired.get(name) ?? []), minute as never]);
  console.log('DAY', JSON.stringify({ fault: scenario.fault, ms: Math.round(performance.now() - began), health, sent: relay.sent.length, taken: relay.account.taken.length, unique: new Set(relay.account.taken.map(({ record }) => record.eventData.n)).size, kept: relay.kept(), messages: relay.messages.map(({ alert, state, minute }) => `${alert} ${state} ${minute}`), rules: [...fired].map(([name, at]) => `${name} ${at[0]}-${at.at(-1)}`), said: fired.size ? '' : said.said.slice(0, 300) }));
  throw new Error('explored');
}, 400_000);
