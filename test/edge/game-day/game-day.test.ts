import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { MINUTE_MS } from '../../../src/pacing/minute.ts';
import { REMEDIES } from '../../game-day/remedies.ts';
import { QUIET_MINUTES, SCENARIOS, type Scenario, USUAL_PER_MINUTE } from '../../game-day/scenarios.ts';
import type { Scrape } from './deployment.ts';
import { type RuleQuery, seriesOf } from './series.ts';
import { SCRAPE_MS, type VirtualRelay, virtualRelay } from './virtual-relay.ts';

const { PROMTOOL } = env as unknown as { readonly PROMTOOL: Fetcher };

// Once for all tests: an outbox keeps the clock that it was made with.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2036-01-07T00:00:00Z') });
});

afterAll(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Plays a day: quiet minutes, the fault, and what comes after it until nothing fires any more. */
async function play(scenario: Scenario): Promise<VirtualRelay> {
  const { settings = {}, order = {}, missing, refusedEvents = false, flood } = scenario;
  const day = await virtualRelay();
  const { relay, webEngage, senders } = day;
  await relay.deploy(settings);
  senders.visit(USUAL_PER_MINUTE);
  await day.pass(QUIET_MINUTES);

  webEngage.order(order);
  if (missing !== undefined) await relay.deploy({ [missing]: undefined });
  senders.visit(scenario.perMinute ?? USUAL_PER_MINUTE, refusedEvents);
  if (flood !== undefined) senders.flood(flood.from, flood.perMinute);
  await day.pass(scenario.minutes);

  webEngage.order(refusedEvents ? order : {});
  if (missing !== undefined) await relay.restore(missing);
  senders.visit(USUAL_PER_MINUTE);
  if (flood !== undefined) senders.flood(flood.from, 0);
  await day.pass(scenario.overAfterMinutes);
  senders.visit(0);
  await day.pass(3);
  return day;
}

/** What promtool says to these queries over the recorded metrics. */
async function evaluate(
  scrapes: readonly Scrape[],
  queries: readonly RuleQuery[],
): Promise<{ readonly ok: boolean; readonly said: string } | undefined> {
  const tests = [
    {
      interval: `${SCRAPE_MS / 1_000}s`,
      input_series: seriesOf(scrapes),
      promql_expr_test: queries,
    },
  ];
  const body = JSON.stringify({ evaluation_interval: '1m', tests });
  const answer = await PROMTOOL.fetch('http://promtool/', { method: 'POST', body });
  return answer.status === 200 ? answer.json() : undefined;
}

const firing = (minute: number, expr: string, names: readonly string[]): RuleQuery => ({
  eval_time: `${minute}m`,
  expr: `group by (alertname) (${expr})`,
  exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
});

/** Each alert of the scenario begins in time, names the remedy and ends, and no other begins. */
function expectAlerts({ alerts }: Scenario, { start, relay: { messages } }: VirtualRelay): void {
  const told = messages.map(({ alert, state }) => `${alert} ${state}`);
  expect(told.toSorted()).toEqual(
    alerts.flatMap(({ name }) => [`${name} begins`, `${name} ends`]).toSorted(),
  );
  for (const { name, withinMinutes } of alerts) {
    const begun = messages.find(({ alert, state }) => alert === name && state === 'begins');
    const minute = (Number(begun?.at) - start) / MINUTE_MS;
    expect(minute, name).toBeGreaterThanOrEqual(QUIET_MINUTES);
    expect(minute, name).toBeLessThanOrEqual(QUIET_MINUTES + withinMinutes);
    expect(begun?.remedy).toContain(REMEDIES[name]);
    expect(begun?.link).toMatch(new RegExp(`/runbooks\\.md#${name}$`));
  }
}

/** Each event arrives once, those of visitors in time, and who is refused is told why, and when to come again. */
function expectDeliveries(scenario: Scenario, { senders, webEngage: { taken } }: VirtualRelay): void {
  const { order, refusals = [], promptSeconds = Number.POSITIVE_INFINITY } = scenario;
  const told = new Set(senders.refusals.map(({ status, message }) => `${status} ${message}`));
  expect([...told].toSorted()).toEqual(refusals.toSorted());
  expect(senders.refusals.filter(({ retryAfterS }) => !(retryAfterS > 0))).toEqual([]);

  expect(senders.kept()).toBe(0);
  const isDeliverable = ({ isRefused }: { readonly isRefused: boolean }) =>
    order?.refuse === undefined || !isRefused;
  const expected = senders.sent.filter(isDeliverable);
  expect(taken.map(({ id }) => id).toSorted()).toEqual(expected.map(({ id }) => id).toSorted());

  const takenAt = new Map(taken.map(({ id, at }) => [id, at]));
  const waitedSeconds = expected
    .filter(({ by }) => by === 'visitor')
    .map(({ id, at }) => (Number(takenAt.get(id)) - at) / 1_000);
  expect(Math.max(...waitedSeconds)).toBeLessThanOrEqual(promptSeconds);
}

/** Each rule of the scenario fires in time and ends, and no other fires. */
async function expectRules({ rules, minutes, overAfterMinutes }: Scenario, day: VirtualRelay): Promise<void> {
  const end = QUIET_MINUTES + minutes + overAfterMinutes;
  const ALERTS = 'ALERTS{alertstate="firing"}';
  const found = await evaluate(day.relay.scrapes, [
    firing(QUIET_MINUTES, ALERTS, []),
    ...rules.map(({ name, withinMinutes }) =>
      firing(
        QUIET_MINUTES + withinMinutes,
        `max_over_time(ALERTS{alertstate="firing",alertname="${name}"}[${withinMinutes}m])`,
        [name],
      ),
    ),
    firing(
      end,
      `max_over_time(${ALERTS}[${end}m])`,
      rules.map(({ name }) => name),
    ),
    firing(end, ALERTS, []),
  ]);
  // Without Prometheus on this machine there is nothing to ask.
  if (found !== undefined) expect(found.ok, found.said).toBe(true);
}

test.each(SCENARIOS)(
  '$fault: each alert begins in time, names the remedy and ends, and nothing is lost',
  async (scenario) => {
    const day = await play(scenario);

    expectAlerts(scenario, day);
    expectDeliveries(scenario, day);
    await expectRules(scenario, day);
  },
  600_000,
);
