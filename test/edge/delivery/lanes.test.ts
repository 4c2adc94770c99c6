import { describe, expect, test } from 'vitest';
import { percentile } from '../../../bench/percentile.ts';
import type { Lane } from '../../../src/contract/lane.ts';
import type { TrackerRecord } from '../../../src/contract/record.ts';
import type { Delivery } from '../../../src/edge/queue/ingest.ts';
import { shardOf } from '../../../src/edge/settings/shards.ts';
import { busiestMinute } from '../../fakes/account.ts';
import { delivery } from '../../fakes/outbox.ts';
import { idOf } from '../../fakes/records.ts';
import { SIMULATION_START, type SimulationOptions, simulate } from '../../fakes/simulation.ts';
import { chances, nameOf, outOfOrder, timedAccount } from '../../fakes/traffic.ts';

const MINUTE = 60_000;

// The first seconds are left out: a queue has formed by then.
const WARM_MS = 15_000;
const WATCHED_MS = MINUTE;

// As the client for servers and the import command divide people among them.
const DEVICES = 16;

function recordsOf(device: string, from: number, count: number): TrackerRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: 'event',
    id: idOf(from + index),
    userId: device,
    eventName: 'Clicked',
    eventTime: '2018-09-15T18:29:00-0800',
    eventData: { n: from + index },
  }));
}

type Traffic = {
  readonly lane: Lane;
  readonly devices: number;
  readonly perFlush: number;
  /** All devices together. */
  readonly recordsPerSecond: number;
};

/** What devices of one lane send, each at its own moments. */
function flushesOf({ lane, devices, perFlush, recordsPerSecond }: Traffic): SimulationOptions['deliveries'] {
  const random = chances(7);
  const everyMs = (1_000 * perFlush * devices) / recordsPerSecond;
  return Array.from({ length: devices }, (_, n) => `${lane} ${n}`).flatMap((device) => {
    const flushes: { at: number; delivery: Delivery }[] = [];
    let n = 1;
    for (let at = random() * everyMs; at < WARM_MS + WATCHED_MS; at += everyMs * (0.5 + random())) {
      const sent = delivery(device, ...recordsOf(device, n, perFlush));
      flushes.push({ at: SIMULATION_START + Math.floor(at), delivery: { ...sent, lane } });
      n += perFlush;
    }
    return flushes;
  });
}

/** A file of a million rows. The outbox takes some, and the rest waits on its disk. */
function fileOfAMillion(): NonNullable<SimulationOptions['files']> {
  return Array.from({ length: DEVICES }, (_, slot) => {
    const device = `import ${slot}`;
    let from = 1;
    return () => {
      if (from > 1_000_000 / DEVICES) return undefined;
      const sent = delivery(device, ...recordsOf(device, from, 100));
      from += 100;
      return { ...sent, lane: 'import' };
    };
  });
}

type Played = Partial<SimulationOptions> & { readonly traffic?: readonly Traffic[] };

/** Simulates the traffic, and measures calls, and what each lane got of them and how long it waited. */
async function play({ traffic = [], ...changes }: Played) {
  const random = chances(11);
  const deliveries = traffic.flatMap(flushesOf).sort((a, b) => a.at - b.at);
  const { account, takenAt } = timedAccount({}, random);
  const end = await simulate({
    deliveries,
    account,
    latencyMs: () => 200 + Math.floor(random() * 200),
    random,
    untilMs: WARM_MS + WATCHED_MS,
    shares: () => ({ enter: () => 0 }),
    ...changes,
  });
  const from = SIMULATION_START + WARM_MS;
  const isWatched = (at: number) => at >= from && at < from + WATCHED_MS;
  const arrived = end.account.taken.map(({ record }) => nameOf(record));
  const taken = arrived.filter((name) => isWatched(takenAt.get(name) ?? 0));
  const waits = (lane: Lane) =>
    deliveries
      .filter(({ at }) => isWatched(at) && at < from + WATCHED_MS - 5_000)
      .flatMap(({ at, delivery: { device, runs } }) =>
        runs.flatMap(({ ids }) => ids.map((id) => ({ at, name: `${device}.${id.split('.')[1]}` }))),
      )
      .filter(({ name }) => name.startsWith(`${lane} `))
      .map(({ at, name }) => (takenAt.get(name) ?? Number.POSITIVE_INFINITY) - at);
  expect(outOfOrder(arrived)).toEqual([]);
  expect(new Set(arrived).size).toBe(arrived.length);
  expect(end.overlaps).toBe(0);
  expect(busiestMinute(end.account.arrivals)).toBeLessThanOrEqual(500);
  return {
    callsPerMinute: end.account.arrivals.filter(({ at }) => isWatched(at)).length / (WATCHED_MS / MINUTE),
    /** The share of all records that were of this lane. */
    shareOf: (lane: Lane) => taken.filter((name) => name.startsWith(`${lane} `)).length / taken.length,
    median: (lane: Lane) => percentile(waits(lane), 50),
  };
}

// A third of what the allowance takes.
const LIVE: Traffic = { lane: 'live', devices: 200, perFlush: 4, recordsPerSecond: 65 };
// Twice of what it takes.
const LIVE_FLOOD: Traffic = { lane: 'live', devices: 800, perFlush: 5, recordsPerSecond: 400 };
const SERVER_FLOOD: Traffic = { lane: 'server', devices: DEVICES, perFlush: 5, recordsPerSecond: 120 };
const ORDERS: Traffic = { lane: 'server', devices: DEVICES, perFlush: 2, recordsPerSecond: 10 };

const PLACES: readonly [string, Partial<SimulationOptions>][] = [
  ['one outbox', {}],
  ['one outbox, with the gate 100 ms away', { gateMs: () => 100 }],
  ['four outboxes on one gate', { outboxes: 4 }],
  ['four outboxes on one gate 100 ms away', { outboxes: 4, gateMs: () => 100 }],
];

describe.each(PLACES)('%s', (_, place) => {
  test('an import of a million rows delays live records by at most 20 % in the median', async () => {
    const alone = await play({ ...place, traffic: [LIVE] });
    const beside = await play({ ...place, traffic: [LIVE], files: fileOfAMillion() });

    expect(beside.median('live')).toBeLessThanOrEqual(1.2 * alone.median('live'));
    expect(beside.callsPerMinute).toBeGreaterThanOrEqual(450);
  });

  test('an import alone uses at least 95 % of the allowance', async () => {
    const { callsPerMinute, shareOf } = await play({ ...place, files: fileOfAMillion() });

    expect(callsPerMinute).toBeGreaterThanOrEqual(475);
    expect(shareOf('import')).toBe(1);
  });

  test('a flood of live traffic leaves imports 5 % of the calls, and servers 30 %', async () => {
    const { callsPerMinute, shareOf } = await play({
      ...place,
      traffic: [LIVE_FLOOD, SERVER_FLOOD],
      files: fileOfAMillion(),
    });

    // A call is led by one lane, and the window begins and ends within one.
    expect(shareOf('server')).toBeGreaterThanOrEqual(0.295);
    expect(shareOf('import')).toBeGreaterThanOrEqual(0.045);
    expect(shareOf('live')).toBeGreaterThanOrEqual(0.5);
    expect(callsPerMinute).toBeGreaterThanOrEqual(475);
  });

  test('a flood of live traffic does not stop orders', async () => {
    const calm = await play({ ...place, traffic: [ORDERS] });
    const flooded = await play({ ...place, traffic: [LIVE_FLOOD, ORDERS] });

    expect(flooded.median('server')).toBeLessThanOrEqual(2 * calm.median('server'));
  });
});

test('an import gets its floor even if another outbox has all the live traffic', async () => {
  const isOn = (index: number, device: string) => shardOf(device, 2) === `2/${index}`;
  const deliveries = flushesOf(LIVE_FLOOD).filter(({ delivery: { device } }) => isOn(0, device));
  const files = fileOfAMillion().filter((_, slot) => isOn(1, `import ${slot}`));

  const { shareOf } = await play({ outboxes: 2, deliveries, files });

  expect(shareOf('import')).toBeGreaterThanOrEqual(0.045);
  expect(shareOf('import')).toBeLessThanOrEqual(0.1);
});
