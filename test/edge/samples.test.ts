import { createExecutionContext, runInDurableObject } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import alerts from '../../docs/guides/alerts.md?raw';
import identityTokens from '../../docs/guides/identity-tokens.md?raw';
import operating from '../../docs/guides/operating.md?raw';
import { botStatus } from '../../src/edge/operator/bot-status.ts';
import { NOTHING } from '../../src/edge/queue/counters/totals.ts';
import {
  logAlert,
  logAlertFailed,
  logAlertsGivenUp,
  logBots,
  logBroken,
  logDeadLetters,
  logErasure,
  logFailedCall,
  logLimited,
  logOffPlan,
  logOnHold,
  logRecovered,
  logRestore,
  logRestoring,
  logServerRefused,
  logSuspended,
  logTokensRefused,
  logUnfamiliar,
  logWrongMetricsTokens,
  logWrongTokens,
  type PassReport,
  report,
} from '../../src/edge/telemetry/log.ts';
import { createRelay } from '../../src/edge/worker.ts';
import { newOutbox, relayEnv } from '../fakes/outbox.ts';
import { named, samplesIn } from '../samples/markdown.ts';

const SAMPLES = [
  ...samplesIn('docs/guides/operating.md', operating),
  ...samplesIn('docs/guides/identity-tokens.md', identityTokens),
  ...samplesIn('docs/guides/alerts.md', alerts),
];
const sample = (name: string) => named(SAMPLES, name);

afterEach(() => {
  vi.restoreAllMocks();
});

/** A pass as the document shows it. */
function passOf(line: string): PassReport {
  const { event: _, outbox, waiting, deadLetters, tookMs, nextInMs, ...did } = JSON.parse(line);
  return { outbox, waiting, deadLetters, tookMs, nextInMs, did: { ...NOTHING, ...did } };
}

/** What stands in the log after this, a line each. */
function logged(log: () => void): readonly string[] {
  const lines: string[] = [];
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation((line) => void lines.push(line));
  log();
  vi.restoreAllMocks();
  return lines;
}

test('docs/guides/operating.md shows the counts of bots as the status has them', () => {
  const shown = JSON.parse(sample('docs/guides/operating.md#bots json').text);

  const counts = {
    lastHour: { ...shown.lastHour.bySign, refused: 0 },
    total: { ...shown.total.bySign, refused: 0 },
  };
  expect(botStatus(counts, shown.mode)).toEqual(shown);
});

test('docs/guides/operating.md shows exactly the lines of the log', () => {
  const shown = sample('docs/guides/operating.md#in-the-log json').text.trimEnd().split('\n');

  const lines = logged(() => {
    report(undefined, passOf(shown[0] ?? ''));
    logFailedCall({ status: 503, kind: 'event', attempts: 2 });
    logUnfamiliar('accepted');
    logBroken('WEBENGAGE_LICENSE_CODE must be set, and hold only letters, digits, ~, _ and -');
    logSuspended(401);
    logRecovered({ status: 401, since: 1_000 }, 62_034);
    logWrongTokens(17);
    logWrongMetricsTokens(3);
    logDeadLetters('discarded', 3);
    logErasure({ waiting: 3, deadLetters: 1, violations: 0, inFlight: 2, unanswered: 0, lifted: false });
    logRestoring('1/0', '0000007b-0000b26e-00001538-0c3e87bb37b3db5cc52eedb93cd3b96b');
    logRestore('1/0', 'restored', Date.parse('2026-11-23T15:45:00Z'));
    logOnHold('1/0');
    logTokensRefused({ expired: 41, missing: 2, server_token: 3 });
    logLimited({ address: 212, browser: 0, share: 38 });
    logServerRefused('orders', { limited: 2, rejected: 7 });
    logOffPlan({ missing: 12, type: 5, unknown_event: 1 });
    logBots({ user_agent: 40, webdriver: 2, refused: 42 });
    logAlert({ alert: 'suspended', state: 'begins' });
    logAlertFailed({ form: 'slack', status: 503 });
    logAlertsGivenUp(2);
  });

  expect(shown).toEqual(lines);
});

test('docs/guides/identity-tokens.md shows exactly the line of the log', () => {
  const shown = sample('docs/guides/identity-tokens.md#when-one-is-refused json').text;

  expect(logged(() => logTokensRefused({ expired: 41, missing: 2 }))).toEqual([shown.trimEnd()]);
});

test('the command of docs/guides/alerts.md sends a test', async () => {
  const { text } = sample('docs/guides/alerts.md#setting-it-up sh 2');
  const [, method = '', name = '', value = '', address = ''] =
    /^curl -X (\w+) -H "(\w+): (.+)" (https:\S+)\n$/.exec(text) ?? [];
  const got: string[] = [];
  vi.stubGlobal('fetch', async (call: Request) => {
    got.push(call.url);
    return new Response('');
  });

  const headers = { [name]: value.replace('$ADMIN_TOKEN', relayEnv.ADMIN_TOKEN ?? '') };
  const url = new URL(new URL(address).pathname, 'http://127.0.0.1:8787');
  const env = { ...relayEnv, ALERT_WEBHOOK: 'https://ops.example.com/hook' };
  const answer = await createRelay().fetch(
    new Request(url, { method, headers }),
    env,
    createExecutionContext(),
  );
  vi.unstubAllGlobals();

  expect(answer.status).toBe(200);
  expect(got).toHaveLength(2);
});

test('the query of docs/guides/operating.md reads the figures that the relay writes', async () => {
  const points: AnalyticsEngineDataPoint[] = [];
  const dataset = {
    writeDataPoint: (point?: AnalyticsEngineDataPoint) => void (point && points.push(point)),
  };
  const pass = passOf(sample('docs/guides/operating.md#in-the-log json').text.split('\n')[0] ?? '');
  const first = { ...pass, waiting: 75, did: { ...pass.did, delivered: 250, taken: 10 } };
  const second = { ...pass, waiting: 25, did: { ...pass.did, delivered: 50, taken: 2 } };
  logged(() => {
    report(dataset, first);
    report(dataset, second);
  });

  const rows = await runInDurableObject(newOutbox(), (_, { storage: { sql } }) => {
    const doubles = points[0]?.doubles?.map((__, at) => `double${at + 1}`) ?? [];
    sql.exec(`CREATE TABLE webengage_relay (timestamp INTEGER, _sample_interval, ${doubles.join()})`);
    const places = doubles.map(() => '?').join();
    // The second of them stands for ten, as Cloudflare samples; and one is of yesterday.
    const written = [
      [600, 1, points[0]],
      [615, 10, points[1]],
      [-86_400, 1, points[0]],
    ] as const;
    for (const [at, sampled, point] of written)
      sql.exec(
        `INSERT INTO webengage_relay VALUES (?, ?, ${places})`,
        at,
        sampled,
        ...(point?.doubles ?? []),
      );
    return [...sql.exec(inSqlite(sample('docs/guides/operating.md#in-the-log sql').text, 660))];
  });

  expect(rows).toEqual([{ minute: 600, delivered: 750, taken: 30, waiting: 75 }]);
});

/** What Analytics Engine says in another way: https://developers.cloudflare.com/analytics/analytics-engine/sql-reference/ */
function inSqlite(query: string, now: number): string {
  return query
    .replace(/toStartOfInterval\((\w+), INTERVAL '1' MINUTE\)/, '$1 / 60 * 60')
    .replace("NOW() - INTERVAL '1' HOUR", `${now} - 3600`);
}
