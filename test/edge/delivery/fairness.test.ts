import { describe, expect, test } from 'vitest';
import { percentile } from '../../../bench/percentile.ts';
import type { TrackerRecord } from '../../../src/contract/record.ts';
import type { StoredRecord } from '../../../src/edge/queue/run.ts';
import type { ControlOrder } from '../../../src/sandbox/control.ts';
import { delivery } from '../../fakes/outbox.ts';
import { idOf } from '../../fakes/records.ts';
import { SIMULATION_START, type SimulationOptions, simulate } from '../../fakes/simulation.ts';
import { chances, nameOf, outOfOrder, timedAccount } from '../../fakes/traffic.ts';

const MINUTES = 3;

type Deliveries = SimulationOptions['deliveries'];

type Source = {
  readonly device: string;
  readonly network: string;
  readonly perFlush: number;
  readonly everyMs: number;
  readonly usersShare: number;
  readonly eventName?: string;
};

/** What one browser sends in three minutes. */
function flushesOf(source: Source, random: () => number): Deliveries {
  const { device, network, perFlush, everyMs, usersShare, eventName = 'Clicked' } = source;
  const flushes: { at: number; delivery: Deliveries[number]['delivery'] }[] = [];
  let n = 0;
  for (let at = random() * everyMs; at < MINUTES * 60_000; at += everyMs * (0.5 + random())) {
    const records = Array.from({ length: perFlush }, (): TrackerRecord => {
      n += 1;
      return random() < usersShare
        ? { kind: 'user', id: idOf(n), userId: device, attributes: { n } }
        : {
            kind: 'event',
            id: idOf(n),
            userId: device,
            eventName,
            eventTime: '2018-09-15T18:29:00-0800',
            eventData: { n },
          };
    });
    const sent = delivery(device, ...records);
    flushes.push({ at: SIMULATION_START + Math.floor(at), delivery: { ...sent, network } });
  }
  return flushes;
}

// A thousand records a minute, of 1,500 that an allowance of 60 calls takes.
const HONEST: readonly Source[] = Array.from({ length: 50 }, (_, n) => ({
  device: `honest ${n}`,
  network: `home ${n}`,
  perFlush: 4,
  everyMs: 12_000,
  usersShare: 0.1,
}));

// As much as a hundred of them.
const FLOOD: Source = { device: 'flood', network: 'flood', perFlush: 5, everyMs: 150, usersShare: 0 };

type SourceOptions = Partial<SimulationOptions> & {
  readonly requestsPerMinute?: number;
  readonly control?: ControlOrder;
};

/** Simulates the sources, and measures how long the honest ones waited. */
async function simulateSources(
  sources: readonly Source[],
  { requestsPerMinute = 60, control = {}, ...changes }: SourceOptions = {},
) {
  const random = chances(7);
  const deliveries = sources.flatMap((source) => flushesOf(source, random)).sort((a, b) => a.at - b.at);
  const { account, takenAt } = timedAccount(control, random);
  const end = await simulate({
    deliveries,
    account,
    latencyMs: () => 200 + Math.floor(random() * 200),
    limits: { requestsPerMinute, hasSecondaryKey: false, importFloor: 0.05 },
    random,
    ...changes,
  });
  const madeAt = new Map(
    deliveries.flatMap(({ at, delivery: { runs } }) =>
      runs.flatMap(({ records }) =>
        (JSON.parse(records) as StoredRecord[]).map((record) => [nameOf(record), at] as const),
      ),
    ),
  );
  const waits = [...madeAt]
    .filter(([name]) => name.startsWith('honest'))
    .map(([name, at]) => (takenAt.get(name) ?? Number.POSITIVE_INFINITY) - at);
  const busy = end.account.arrivals.filter(({ at }) => at < SIMULATION_START + MINUTES * 60_000);
  return {
    ...end,
    made: [...madeAt.keys()],
    arrived: end.account.taken.map(({ record }) => nameOf(record)),
    median: percentile(waits, 50),
    p95: percentile(waits, 95),
    callsPerMinute: busy.length / MINUTES,
  };
}

/** All of it came, once, each browser's in its order. */
function expectComplete({ made, arrived }: { made: readonly string[]; arrived: readonly string[] }): void {
  expect(arrived.toSorted()).toEqual(made.toSorted());
  expect(outOfOrder(arrived)).toEqual([]);
}

const calm = await simulateSources(HONEST);

test('without a flood no sender is refused and nothing is lost', () => {
  expectComplete(calm);
  expect(calm.limited).toBe(0);
});

describe('beside one browser that sends as much as a hundred others', () => {
  test.each([
    ['events, five at a time', {}],
    ['events, in full batches', { perFlush: 25, everyMs: 750 }],
    ['events, one by one', { perFlush: 1, everyMs: 30 }],
    ['users', { usersShare: 1 }],
  ])('the other browsers wait hardly longer, and the heavy one gets the rest: %s', async (_, fields) => {
    const flooded = await simulateSources([...HONEST, { ...FLOOD, ...fields }]);

    expect(flooded.median).toBeLessThanOrEqual(2 * calm.median);
    expect(flooded.p95).toBeLessThanOrEqual(2 * calm.p95);
    expect(flooded.callsPerMinute).toBeGreaterThanOrEqual(0.95 * 60);
    expectComplete(flooded);
  });

  test('the others keep their places even if all its records are accepted and only the cut delays it', async () => {
    const flooded = await simulateSources([...HONEST, FLOOD], { shares: () => ({ enter: () => 0 }) });

    expect(flooded.median).toBeLessThanOrEqual(2 * calm.median);
    expect(flooded.p95).toBeLessThanOrEqual(2 * calm.p95);
    expectComplete(flooded);
  });

  test('the others keep their places even if the outbox crashes repeatedly and forgets the shares', async () => {
    const random = chances(3);
    const crashes = () => random() < 0.003;

    const before = await simulateSources(HONEST, { crashes });
    const flooded = await simulateSources([...HONEST, FLOOD], { crashes });

    expect(flooded.crashCount).toBeGreaterThan(10);
    expect(flooded.median).toBeLessThanOrEqual(2 * before.median);
    expect(flooded.p95).toBeLessThanOrEqual(2 * before.p95);
    expectComplete(flooded);
  });

  test('the others keep their places even if WebEngage refuses all its records', async () => {
    const control: ControlOrder = { refuse: { field: 'eventName', value: 'Poison' } };

    const requestsPerMinute = 120;
    const before = await simulateSources(HONEST, { requestsPerMinute });
    const flooded = await simulateSources([...HONEST, { ...FLOOD, eventName: 'Poison' }], {
      control,
      requestsPerMinute,
      untilMs: (MINUTES + 2) * 60_000,
    });

    expect(flooded.median).toBeLessThanOrEqual(2 * before.median);
    expect(flooded.p95).toBeLessThanOrEqual(2 * before.p95);
    expect(flooded.arrived).toHaveLength(before.made.length);
    expect(outOfOrder(flooded.arrived)).toEqual([]);
  });
});

test('a flood of many browsers from one network delays others only until the network has used its share', async () => {
  const requestsPerMinute = 120;
  const crowd = Array.from({ length: 200 }, (_, n) => ({ ...FLOOD, device: `flood ${n}`, everyMs: 15_000 }));

  const before = await simulateSources(HONEST, { requestsPerMinute });
  const flooded = await simulateSources([...HONEST, ...crowd], { requestsPerMinute });

  expect(flooded.median).toBeLessThanOrEqual(2 * before.median);
  expect(flooded.p95).toBeLessThanOrEqual(2 * before.p95);
  expect(flooded.callsPerMinute).toBeGreaterThanOrEqual(0.95 * requestsPerMinute);
  expectComplete(flooded);
});

test('a lone browser gets the whole allowance, and one that returns with a week of records is not refused', async () => {
  // As fast as a tracker sends what has piled up.
  const back = { ...FLOOD, perFlush: 25, everyMs: 1_000 };

  const alone = await simulateSources([back]);
  const among = await simulateSources([...HONEST, back], { requestsPerMinute: 500 });

  expect(alone.callsPerMinute).toBeGreaterThanOrEqual(0.95 * 60);
  expect(among.limited).toBe(0);
  expectComplete(alone);
  expectComplete(among);
});
