import { percentile } from '../percentile.ts';
import { rounded } from '../rounded.ts';
import { type Answer, crowd } from '../visitors.ts';
import { latency, mustBeTaken } from './answers.ts';
import { METRICS_TOKEN, type Setup, start, startBoth } from './setups.ts';

const ROUNDS = 5;
const ROUND_MS = 2_000;
const WARM_UP_MS = 1_000;
const AT_ONCE = 64;

type Rush = { readonly taken: readonly Answer[]; readonly perSecond: number; readonly cpuMs: number };
type Round = Readonly<Record<Setup, Rush>>;

/** As a Prometheus does, but more often than every 15 s: while each round is measured. */
async function scrape(url: string): Promise<void> {
  const headers = { Authorization: `Bearer ${METRICS_TOKEN}`, Accept: 'application/openmetrics-text' };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  if (!text.endsWith('# EOF\n')) throw new Error(`a scrape was answered with ${text}`);
}

/** Alternates between the endpoints, so that other load on the machine affects all alike. */
async function compareSetups(upstream: string, records: number): Promise<readonly Round[]> {
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

function setupRow(rounds: readonly Round[], setup: Setup) {
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

/** Measures batches a second from as many clients as there can be, and prints them. */
export async function reportThroughput(upstream: string, records: number): Promise<void> {
  const rounds = await compareSetups(upstream, records);
  console.log(`\nBatches of ${records} records, ${AT_ONCE} at once, one shard, ${ROUNDS} rounds each:`);
  console.table({
    relay: setupRow(rounds, 'relay'),
    'relay, with its metrics scraped': setupRow(rounds, 'scraped'),
    'relay, each with a token': setupRow(rounds, 'verified'),
    'pass-through': setupRow(rounds, 'passThrough'),
  });
  console.log(`relay : pass-through = ${ratio(rounds, 'perSecond', 'relay', 'passThrough')}`);
  console.log(`with tokens : pass-through = ${ratio(rounds, 'perSecond', 'verified', 'passThrough')}`);
  console.log(`with tokens : without = ${ratio(rounds, 'perSecond', 'verified', 'relay')}`);
  // The Worker's own CPU time, so it stays the same on a busy machine.
  console.log(`… in processor time = ${ratio(rounds, 'cpuMs', 'verified', 'relay')}`);
  console.log(`scraped : not scraped = ${ratio(rounds, 'perSecond', 'scraped', 'relay')}`);
  console.log(`… in processor time = ${ratio(rounds, 'cpuMs', 'scraped', 'relay')}`);
}
