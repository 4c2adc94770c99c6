import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { ageOutboxes } from './aged-outbox.ts';
import { percentile } from './percentile.ts';
import { type Point, plot } from './plot.ts';
import { type Answer, type Client, clientOf, crowd, ORIGIN, stream } from './visitors.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

// What the relay costs and saves, in the bare runtime on this machine. Compares its endpoint with a Worker
// that only passes requests on. The outbox is on its ninth day, with and without identity tokens. Also counts
// the calls to WebEngage for 1,000 records.

const ROUNDS = 5;
const ROUND_MS = 2_000;
const WARM_UP_MS = 1_000;
const AT_ONCE = 64;

// For each of the eight days before today that an outbox remembers.
const PAGE_LOADS = 50_000;

const LIGHT = { perSecond: 20, visitors: 200, records: 5 };

// WebEngage's latency in the slower runs.
const FAR_MS = 100;

const RECORDS_A_VISITOR = 5;
// All run at the same time, each with its own relay and account. The slower ones start after the fastest is answered.
const ARRIVALS = [
  { perSecond: 1, visitors: 30, afterMs: 8_000 },
  { perSecond: 10, visitors: 100, afterMs: 8_000 },
  { perSecond: 100, visitors: 500, afterMs: 8_000 },
  { perSecond: 1_000, visitors: 2_000, afterMs: 0 },
];
// The last answers arrive shortly after the last visitor.
const MANAGED_SHARE = 0.9;
const DRAINED_WITHIN_MS = 90_000;

// https://docs.webengage.com/docs/rest-api-getting-started
const CALLS_PER_MINUTE = 500;
const RECORDS_PER_CALL = 25;

const ADMIN_TOKEN = 'a-token-for-the-operator-of-a-bench';
const METRICS_TOKEN = 'a-token-for-the-metrics-of-a-bench';
const PLOT = 'docs/images/calls-per-1000.svg';

const scratch = mkdtempSync(join(tmpdir(), 'webengage-relay-bench-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

type Setup = 'relay' | 'passThrough' | 'verified' | 'scraped';

const bundle = bundleOfRelay();
const scripts: Readonly<Record<Setup, string>> = {
  relay: bundle,
  verified: bundle,
  scraped: bundle,
  passThrough: readFileSync('bench/pass-through.js', 'utf8'),
};

// The most expensive case: an RSA signature for each batch. The relay caches no verification between batches.
const { publicKey, privateKey } = await generateKeyPair('RS256');
const userId = 'a-user-of-a-bench';
const IDENTITY_KEY = await exportSPKI(publicKey);
const token = await new SignJWT({ cuid: userId })
  .setProtectedHeader({ alg: 'RS256' })
  .setExpirationTime('1 hour')
  .sign(privateKey);

/** The relay's bundle, as deployed. */
function bundleOfRelay(): string {
  const outdir = join(scratch, 'bundle');
  const wrangler = ['node_modules/wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--outdir', outdir];
  execFileSync(process.execPath, wrangler, { env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } });
  return readFileSync(join(outdir, 'worker.js'), 'utf8');
}

async function startUpstream(latencyMs: number): Promise<string> {
  const thread = new Worker(new URL('./upstream.ts', import.meta.url), { workerData: { latencyMs } });
  const [port] = await once(thread, 'message');
  thread.unref();
  return `http://127.0.0.1:${port}`;
}

let started = 0;

/**
 * Starts a Worker with its own account. On the first day the relay's storage is new, on the ninth it holds
 * the dedup tables of eight days.
 */
async function start(
  setup: Setup,
  upstream: string,
  day: 'first' | 'ninth',
): Promise<Workerd & { account: string; client: Client }> {
  started += 1;
  const account = `bench-${started}`;
  const options = {
    script: scripts[setup],
    vars: {
      WEBENGAGE_HOST: upstream,
      WEBENGAGE_LICENSE_CODE: account,
      WEBENGAGE_API_KEY: 'bench-key',
      ALLOWED_ORIGINS: ORIGIN,
      ADMIN_TOKEN,
      ...(setup === 'scraped' && { METRICS_TOKEN }),
      ...(setup === 'verified' && { IDENTITY: 'required', IDENTITY_KEY }),
    },
    objects: setup === 'passThrough' ? {} : { OUTBOX: 'Outbox', RATE_GATE: 'RateGate' },
    directory: join(scratch, account),
  };
  const clientAt = (url: string) => (setup === 'verified' ? clientOf(url, { userId, token }) : clientOf(url));
  let workerd = await startWorkerd(options);
  if (setup !== 'passThrough' && day === 'ninth') {
    mustBeTaken(await crowd(clientAt(workerd.url), { records: 1, atOnce: 1, forMs: 1 }));
    await workerd.stop();
    ageOutboxes(options.directory, PAGE_LOADS);
    workerd = await startWorkerd(options);
  }
  return { ...workerd, account, client: clientAt(workerd.url) };
}

async function startBoth(upstream: string, day: 'first' | 'ninth') {
  const [relay, passThrough] = await Promise.all([
    start('relay', upstream, day),
    start('passThrough', upstream, day),
  ]);
  return { relay, passThrough, stop: () => Promise.all([relay.stop(), passThrough.stop()]) };
}

function mustBeTaken(answers: readonly Answer[]): readonly Answer[] {
  const refused = answers.find(({ status }) => status < 200 || status > 299);
  if (refused) throw new Error(`a batch was answered with ${refused.status}: there is nothing to measure`);
  return answers;
}

function latency(answers: readonly Answer[]) {
  const taken = answers.map(({ ms }) => ms);
  return { 'p50 ms': rounded(percentile(taken, 50)), 'p99 ms': rounded(percentile(taken, 99)) };
}

const rounded = (value: number, digits = 1) => Number(value.toFixed(digits));

type Rush = { readonly taken: readonly Answer[]; readonly perSecond: number; readonly cpuMs: number };
type Round = Readonly<Record<Setup, Rush>>;

/** As a Prometheus does, but more often than every 15 s: while each round is measured. */
async function scrape(url: string): Promise<void> {
  const headers = { Authorization: `Bearer ${METRICS_TOKEN}`, Accept: 'application/openmetrics-text' };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  if (!text.endsWith('# EOF\n')) throw new Error(`a scrape was answered with ${text}`);
}

/** Alternates between the endpoints, so that other load on the machine affects all alike. */
async function compareClients(upstream: string, records: number): Promise<readonly Round[]> {
  const both = await startBoth(upstream, 'ninth');
  const setups = {
    ...both,
    verified: await start('verified', upstream, 'ninth'),
    scraped: await start('scraped', upstream, 'ninth'),
  };
  const rush = async (setup: Setup, forMs: number = ROUND_MS): Promise<Rush> => {
    const { client, cpuMs, url } = setups[setup];
    const [from, cpuFrom] = [performance.now(), cpuMs()];
    const [answers] = await Promise.all([
      crowd(client, { records, atOnce: AT_ONCE, forMs }),
      setup === 'scraped' && scrape(url),
    ]);
    const taken = mustBeTaken(answers);
    const perSecond = (taken.length * 1_000) / (performance.now() - from);
    return { taken, perSecond, cpuMs: (cpuMs() - cpuFrom) / taken.length };
  };

  for (const setup of ['relay', 'scraped', 'verified', 'passThrough'] as const) await rush(setup, WARM_UP_MS);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    rounds.push({
      relay: await rush('relay'),
      scraped: await rush('scraped'),
      verified: await rush('verified'),
      passThrough: await rush('passThrough'),
    });
  await Promise.all([both.stop(), setups.verified.stop(), setups.scraped.stop()]);
  return rounds;
}

function clientRow(rounds: readonly Round[], setup: Setup) {
  const perSecond = rounds.map((round) => round[setup].perSecond);
  return {
    'batches/s': rounded(percentile(perSecond, 50), 0),
    lowest: rounded(Math.min(...perSecond), 0),
    highest: rounded(Math.max(...perSecond), 0),
    'processor ms a batch': rounded(
      percentile(
        rounds.map((round) => round[setup].cpuMs),
        50,
      ),
      2,
    ),
    ...latency(rounds.flatMap((round) => round[setup].taken)),
  };
}

function ratio(rounds: readonly Round[], of: 'perSecond' | 'cpuMs', setup: Setup, to: Setup): string {
  const ratios = rounds.map((round) => round[setup][of] / round[to][of]);
  const [lowest, median, highest] = [0, 50, 100].map((percent) => percentile(ratios, percent).toFixed(2));
  return `${median} (median of the pairs; ${lowest} to ${highest})`;
}

async function reportClients(upstream: string, records: number): Promise<void> {
  const rounds = await compareClients(upstream, records);
  console.log(`\nBatches of ${records} records, ${AT_ONCE} at once, one shard, ${ROUNDS} rounds each:`);
  console.table({
    relay: clientRow(rounds, 'relay'),
    'relay, with its metrics scraped': clientRow(rounds, 'scraped'),
    'relay, each with a token': clientRow(rounds, 'verified'),
    'pass-through': clientRow(rounds, 'passThrough'),
  });
  console.log(`relay : pass-through = ${ratio(rounds, 'perSecond', 'relay', 'passThrough')}`);
  console.log(`with tokens : pass-through = ${ratio(rounds, 'perSecond', 'verified', 'passThrough')}`);
  console.log(`with tokens : without = ${ratio(rounds, 'perSecond', 'verified', 'relay')}`);
  // The Worker's own CPU time, so it stays the same on a busy machine.
  console.log(`… in processor time = ${ratio(rounds, 'cpuMs', 'verified', 'relay')}`);
  console.log(`scraped : not scraped = ${ratio(rounds, 'perSecond', 'scraped', 'relay')}`);
  console.log(`… in processor time = ${ratio(rounds, 'cpuMs', 'scraped', 'relay')}`);
}

async function lightLoad(upstream: string) {
  const both = await startBoth(upstream, 'ninth');
  // The first requests hit a cold start.
  await Promise.all([crowdOfOne(both.relay.client), crowdOfOne(both.passThrough.client)]);
  const [relay, passThrough] = await Promise.all([
    stream(both.relay.client, LIGHT),
    stream(both.passThrough.client, LIGHT),
  ]);
  await both.stop();
  return { relay: latency(mustBeTaken(relay)), passThrough: latency(mustBeTaken(passThrough)) };
}

const crowdOfOne = (client: Client) =>
  crowd(client, { records: LIGHT.records, atOnce: 1, forMs: WARM_UP_MS });

async function callsTo(upstream: string, account: string): Promise<number> {
  const calls: { [account: string]: number } = await (await fetch(`${upstream}/calls`)).json();
  return calls[account] ?? 0;
}

async function drained(url: string): Promise<void> {
  const giveUpAt = Date.now() + DRAINED_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`${url}/admin/status`, {
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    const { backlog }: { backlog: { records: number } } = await answer.json();
    if (backlog.records === 0) return;
    if (Date.now() > giveUpAt) throw new Error(`${backlog.records} records still wait in the relay`);
    await setTimeout(250);
  }
}

/** Counts the calls for visitors at one rate, until the last record has arrived. */
async function callsOf(upstream: string, { perSecond, visitors, afterMs }: (typeof ARRIVALS)[number]) {
  await setTimeout(afterMs);
  const both = await startBoth(upstream, 'first');
  const from = performance.now();
  mustBeTaken(await stream(both.relay.client, { records: RECORDS_A_VISITOR, perSecond, visitors }));
  const reached = (visitors * 1_000) / (performance.now() - from);
  await drained(both.relay.url);
  const drainedAfterS = (performance.now() - from) / 1_000;
  // The number of its calls does not depend on the rate.
  mustBeTaken(
    await stream(both.passThrough.client, { records: RECORDS_A_VISITOR, perSecond: 1_000, visitors }),
  );

  const per1000 = (calls: number) => (calls * 1_000) / (visitors * RECORDS_A_VISITOR);
  const point: Point = {
    // If the machine can't keep up, the point is plotted at the rate it reached.
    visitorsPerSecond: reached < perSecond * MANAGED_SHARE ? rounded(reached, 0) : perSecond,
    passThrough: per1000(await callsTo(upstream, both.passThrough.account)),
    relay: per1000(await callsTo(upstream, both.relay.account)),
  };
  await both.stop();
  return { point, perSecond, visitors, reached, drainedAfterS };
}

/** Calls a minute at this rate. Above the account's limit they would be refused. */
function aMinute(per1000: number, visitorsPerSecond: number): string {
  const calls = (per1000 * visitorsPerSecond * RECORDS_A_VISITOR * 60) / 1_000;
  return `${calls.toFixed(0)}${calls > CALLS_PER_MINUTE ? ` (over ${CALLS_PER_MINUTE})` : ''}`;
}

async function reportCalls(upstream: string): Promise<void> {
  const measured = await Promise.all(ARRIVALS.map((arrivals) => callsOf(upstream, arrivals)));
  console.log(
    `\nCalls to WebEngage for 1,000 records; a visitor is one flush of ${RECORDS_A_VISITOR} events:`,
  );
  console.table(
    measured.map(({ point, perSecond, visitors, reached, drainedAfterS }) => ({
      'visitors/s': perSecond,
      reached: rounded(reached),
      visitors,
      'pass-through': rounded(point.passThrough),
      relay: rounded(point.relay),
      'pass-through, a minute': aMinute(point.passThrough, point.visitorsPerSecond),
      'relay, a minute': aMinute(point.relay, point.visitorsPerSecond),
      'all arrived after s': rounded(drainedAfterS),
    })),
  );
  const callsPerSecond = CALLS_PER_MINUTE / 60;
  mkdirSync('docs/images', { recursive: true });
  writeFileSync(
    PLOT,
    plot({
      points: measured.map(({ point }) => point),
      limits: {
        passThrough: callsPerSecond,
        relay: (callsPerSecond * RECORDS_PER_CALL) / RECORDS_A_VISITOR,
      },
      floor: 1_000 / RECORDS_PER_CALL,
    }),
  );
  console.log(`Drawn in ${PLOT}.`);
}

console.log(
  `npm run bench:relay on ${availableParallelism()} cores (${cpus()[0]?.model.trim()}); some 3 minutes.`,
);
const [near, far] = await Promise.all([startUpstream(0), startUpstream(FAR_MS)]);
await reportClients(near, 25);
await reportClients(near, 5);

const nearLight = await lightLoad(near);
const farLight = await lightLoad(far);
console.log(`\nUntil the answer, at ${LIGHT.perSecond} batches of ${LIGHT.records} a second:`);
console.table({
  'relay, WebEngage at 0 ms': nearLight.relay,
  'pass-through, WebEngage at 0 ms': nearLight.passThrough,
  [`relay, WebEngage at ${FAR_MS} ms`]: farLight.relay,
  [`pass-through, WebEngage at ${FAR_MS} ms`]: farLight.passThrough,
});
await reportCalls(far);
