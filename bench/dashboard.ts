import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { dashboardPanels } from '../test/fakes/metrics/dashboard.ts';
import { type Prometheus, startPrometheus } from '../test/journeys/operator/prometheus.ts';
import { type Stack, startStack } from '../test/journeys/stack.ts';
import { type DrawnPanel, drawPanels } from './dashboard/draw.ts';

// Draws the panels of ops/grafana/dashboard.json for docs/guides/metrics.md. A relay and the sandbox run on this
// machine, records flow, WebEngage fails for a while, and a real Prometheus answers the dashboard's queries.

const MINUTES = 6;
const SCRAPE_SECONDS = 10;
const STEP_SECONDS = 5;
const PICTURE = 'docs/images/dashboard.png';

// From the start, in seconds.
const DOWN_FROM = 120;
const DOWN_UNTIL = 180;
const REFUSES_FROM = 260;
const REFUSES_UNTIL = 290;

const METRICS_TOKEN = randomBytes(24).toString('hex');
const SERVER_TOKEN = randomBytes(24).toString('hex');

async function send(stack: Stack, records: number, eventName: string, headers: HeadersInit): Promise<void> {
  const session = randomBytes(16).toString('base64url');
  const events = Array.from({ length: records }, (_, index) => ({
    kind: 'event',
    id: `${session}.${index + 1}`,
    userId: `user-${index}`,
    eventName,
  }));
  const answer = await fetch(`${stack.relayUrl}/v1/batch`, {
    method: 'POST',
    body: JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device: randomUUID(), records: events }),
    headers,
  });
  await answer.text();
}

/** Sends one second's traffic: visitors in waves, sometimes a server, and sometimes a page of a site that is not listed. */
async function sendSecond(stack: Stack, second: number): Promise<void> {
  const visitors = Math.round(6 + 4 * Math.sin(second / 25));
  const page = { Origin: stack.siteUrl };
  await Promise.all([
    ...Array.from({ length: visitors }, (_, n) =>
      send(stack, 5, n === 0 && second % 7 === 0 ? 'Refused' : 'Seen', page),
    ),
    second % 3 === 0 && send(stack, 20, 'Ordered', { Authorization: `Bearer ${SERVER_TOKEN}` }),
    second % 20 === 0 && send(stack, 1, 'Seen', { Origin: 'https://elsewhere.example' }),
  ]);
}

async function answered(prometheus: Prometheus, from: number, to: number): Promise<DrawnPanel[]> {
  const panels = dashboardPanels();
  return Promise.all(
    panels.map(async ({ title, type, fieldConfig, targets }) => ({
      title,
      unit: fieldConfig.defaults.unit,
      isStat: type === 'stat',
      series: (
        await Promise.all(
          targets.map(async ({ expr, legendFormat }) => {
            const found = await prometheus.queryRange(expr, from, to, STEP_SECONDS);
            return found.map(({ metric, values }) => ({
              label: legendFormat
                .replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => metric[name] ?? '')
                .trim(),
              points: values.map(([at, value]) => [at, Number(value)] as const),
            }));
          }),
        )
      ).flat(),
    })),
  );
}

console.log(`npm run bench:dashboard takes ${MINUTES} minutes.`);
const stack = await startStack({ settings: { METRICS_TOKEN, SERVER_TOKEN } });
const prometheus = await startPrometheus(stack.relayUrl, METRICS_TOKEN, { scrapeSeconds: SCRAPE_SECONDS });
try {
  const from = Math.floor(Date.now() / 1_000);
  for (let second = 0; second < MINUTES * 60; second++) {
    if (second === DOWN_FROM) await stack.order({ fault: 503 });
    if (second === REFUSES_FROM) await stack.order({ refuse: { field: 'eventName', value: 'Refused' } });
    if (second === DOWN_UNTIL || second === REFUSES_UNTIL) await stack.order({});
    // A request that fails is missing in the picture, and nothing else.
    const sent = sendSecond(stack, second).catch(() => undefined);
    await setTimeout(Math.max(0, (from + second + 1) * 1_000 - Date.now()));
    await sent;
  }
  // Without the first minute, in which a rate has too few values.
  await drawPanels(PICTURE, await answered(prometheus, from + 60, Math.floor(Date.now() / 1_000)));
} finally {
  await prometheus.stop();
  await stack.stop();
}
console.log(`Drawn in ${PICTURE}.`);
