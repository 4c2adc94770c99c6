import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { rounded } from '../rounded.ts';
import { stream } from '../visitors.ts';
import { mustBeTaken } from './answers.ts';
import { type Point, plot } from './plot.ts';
import { ADMIN_TOKEN, startBoth } from './setups.ts';

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

const PLOT = 'docs/images/calls-per-1000.svg';

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

/** Counts the calls to WebEngage for 1,000 records at several rates, prints and draws them. */
export async function reportCalls(upstream: string): Promise<void> {
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
