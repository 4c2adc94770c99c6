import type { CDPSession } from 'playwright-core';
import { percentile } from '../percentile.ts';
import { rounded } from '../rounded.ts';
import type { Harness } from './harness.ts';
import { makeCalls, prepareCalls, startAmplitude } from './in-page.ts';
import { clockMainThread } from './main-thread.ts';

export type Pattern = { readonly name: string; readonly calls: number; readonly inOneTask: boolean };

// Like this tracker, Amplitude's SDK stores each event before it sends it: in `localStorage`.
const SETUPS = ['nothing', 'localStorage', 'tracker', 'amplitude'] as const;

type Setup = (typeof SETUPS)[number];

/**
 * The cost of one round on the main thread, for the calls alone and with everything they caused. CPU time is
 * the thread's own clock. Wall time also includes its waits for other processes and for the scheduler.
 */
type Cost = { readonly callsCpuMs: number; readonly cpuMs: number; readonly wallMs: number };

type Round = Readonly<Record<Setup, Cost>>;

const ROUNDS = 25;

// The first rounds run code that the browser has not compiled yet.
const WARM_UP_ROUNDS = 3;

// Longer than the measurement. The comparison is about storing, and `localStorage` sends nothing.
const PAUSE_SECONDS = 3_600;

const median = (values: readonly number[]) => percentile(values, 50);

/**
 * The main thread's work so far. A trace of its tasks would cost about 7 µs each. `localStorage`, with two
 * tasks for each key, would then look half as expensive again as it is.
 */
async function workOf(cdp: CDPSession): Promise<{ readonly cpuMs: number; readonly wallMs: number }> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  const ms = (metric: string) => 1_000 * (metrics.find(({ name }) => name === metric)?.value ?? Number.NaN);
  return { cpuMs: ms('ThreadTime'), wallMs: ms('TaskDuration') };
}

type Work = Omit<Cost, 'callsCpuMs'>;

async function measure(
  harness: Harness,
  { calls, inOneTask }: Pattern,
  setup: Setup,
  round: number,
): Promise<Work> {
  const { page, cdp, startTracker } = harness;
  if (setup === 'tracker') await startTracker(PAUSE_SECONDS);
  if (setup === 'amplitude') await page.evaluate(startAmplitude, harness.site.relayUrl);
  await page.evaluate(prepareCalls, setup === 'nothing' ? 0 : calls);
  const before = await workOf(cdp);
  await page.evaluate(makeCalls, { setup, inOneTask, marks: `${setup} ${round}` });
  const after = await workOf(cdp);
  return { cpuMs: after.cpuMs - before.cpuMs, wallMs: after.wallMs - before.wallMs };
}

async function runRounds(harness: Harness, pattern: Pattern): Promise<readonly Round[]> {
  const work: Record<Setup, Work[]> = { nothing: [], localStorage: [], tracker: [], amplitude: [] };
  await harness.cdp.send('Performance.enable');
  const callsCpuMs = await clockMainThread(harness.cdp, async () => {
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1)
      // Alternates, so that other load on the machine affects all alike. Every other round is in reverse order.
      for (const setup of round % 2 === 0 ? SETUPS : SETUPS.toReversed())
        work[setup].push(await measure(harness, pattern, setup, round));
  });
  await harness.cdp.send('Performance.disable');

  const costs = (setup: Setup): Cost[] =>
    work[setup].map((of, round) => ({
      ...of,
      callsCpuMs: callsCpuMs(`${setup} ${round} from`, `${setup} ${round} to`),
    }));
  const [localStorage, tracker, amplitude] = [costs('localStorage'), costs('tracker'), costs('amplitude')];
  return costs('nothing')
    .flatMap((none, round) => {
      const [bare, tracked, other] = [localStorage[round], tracker[round], amplitude[round]];
      return bare && tracked && other
        ? [{ nothing: none, localStorage: bare, tracker: tracked, amplitude: other }]
        : [];
    })
    .slice(WARM_UP_ROUNDS);
}

/**
 * Compares the main-thread cost of `track` with Amplitude's SDK, and with a bare `localStorage.setItem` of the JSON.
 */
export async function compareCalls(harness: Harness, pattern: Pattern): Promise<void> {
  const rounds = await runRounds(harness, pattern);

  const columns = {
    // With a task for each call there is other work between the calls, so their own cost can't be separated.
    ...(pattern.inOneTask && ({ 'calls alone, CPU ms': 'callsCpuMs' } as const)),
    'all, CPU ms': 'cpuMs',
    'all, wall ms': 'wallMs',
  } as const;
  const row = (figure: (cost: keyof Cost) => number, digits?: number) =>
    Object.fromEntries(
      Object.entries(columns).map(([title, cost]) => [title, rounded(figure(cost), digits)]),
    );
  // Ratios within a round, where all sides ran on the same machine load. The cost of measuring nothing is subtracted.
  const ratios = (cost: keyof Cost, to: Setup = 'localStorage') =>
    rounds.map(
      ({ nothing, tracker, ...others }) =>
        (tracker[cost] - nothing[cost]) / ({ nothing, tracker, ...others }[to][cost] - nothing[cost]),
    );

  console.log(
    `\n${pattern.calls} calls of track with six properties, ${pattern.name}; median of ${ROUNDS} rounds`,
  );
  console.table({
    ...Object.fromEntries(
      SETUPS.map((setup) => [setup, row((cost) => median(rounds.map((round) => round[setup][cost])))]),
    ),
    'tracker ÷ localStorage': row((cost) => median(ratios(cost)), 2),
    '… quarter of rounds below': row((cost) => percentile(ratios(cost), 25), 2),
    '… quarter of rounds above': row((cost) => percentile(ratios(cost), 75), 2),
    'tracker ÷ Amplitude': row((cost) => median(ratios(cost, 'amplitude')), 2),
  });
}
