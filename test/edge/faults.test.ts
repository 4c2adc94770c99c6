import { describe, expect, test } from 'vitest';
import { nextChance } from '../../demo/sandbox/chance.ts';
import type { ControlOrder } from '../../demo/sandbox/control.ts';
import type { TrackerRecord } from '../../src/contract/record.ts';
import type { Delivery } from '../../src/edge/ingest.ts';
import { delivery } from '../fakes/outbox.ts';
import { busiestMinute, playedAccount } from '../fakes/played-account.ts';
import { idOf } from '../fakes/records.ts';
import { runWorld, WORLD_BEGINS } from '../fakes/world.ts';

declare global {
  interface ImportMeta {
    readonly env: Readonly<Record<string, string | undefined>>;
  }
}

const DEVICES = 500;
const RECORDS_EACH = 10;
const POISON_SHARE = 0.01;
const SEEDS = Number(import.meta.env.VITE_SEEDS ?? 20);
const FIRST_SEED = Number(import.meta.env.VITE_FIRST_SEED ?? 1);

function chances(seed: number): () => number {
  let state = seed;
  return () => {
    const drawn = nextChance(state);
    state = drawn.state;
    return drawn.chance;
  };
}

/** What 500 browsers send: identifies and events mixed, in flushes of 1 to 5, some of them twice, some poison. */
function traffic(random: () => number) {
  const deliveries: { at: number; delivery: Delivery }[] = [];
  const poison: string[] = [];
  for (let device = 0; device < DEVICES; device++) {
    const name = `device ${device}`;
    let at = WORLD_BEGINS + Math.floor(random() * 20_000);
    for (let n = 1; n <= RECORDS_EACH; ) {
      const records: TrackerRecord[] = [];
      for (const size = 1 + Math.floor(random() * 5); records.length < size && n <= RECORDS_EACH; n++) {
        const isPoison = random() < POISON_SHARE;
        if (isPoison) poison.push(`${name}.${n}`);
        records.push(
          random() < 0.3 && !isPoison
            ? { kind: 'user', id: idOf(n), userId: name, attributes: { n } }
            : {
                kind: 'event',
                id: idOf(n),
                userId: name,
                eventName: isPoison ? 'Poison' : 'Clicked',
                eventData: { n },
              },
        );
      }
      deliveries.push({ at, delivery: delivery(name, ...records) });
      if (random() < 0.1) deliveries.push({ at: at + 50, delivery: delivery(name, ...records) });
      at += 100 + Math.floor(random() * 5_000);
    }
  }
  return { deliveries: deliveries.sort((a, b) => a.at - b.at), poison };
}

/** `device 7.3`: the third record of the device. */
function nameOf(record: Readonly<Record<string, unknown>>): string {
  const { userId, eventData, attributes } = record as {
    userId: string;
    eventData?: { n: number };
    attributes?: { n: number };
  };
  return `${userId}.${(eventData ?? attributes)?.n}`;
}

const FAULTS: ControlOrder = {
  refuse: { field: 'eventName', value: 'Poison' },
  faults: [
    { fault: 500, chance: 0.02 },
    { fault: 503, faultAt: 'after', chance: 0.01 },
    { fault: '429', chance: 0.01 },
    { fault: 'cut', chance: 0.04 },
    { fault: 'cut_before', chance: 0.01 },
    { fault: 'page', chance: 0.01 },
    { fault: 'slow', chance: 0.02 },
  ],
  delayMs: 9_000,
  retryAfter: 'seconds',
  retryAfterSeconds: 2,
};

async function journey(seed: number, control: ControlOrder = FAULTS) {
  const random = chances(seed);
  const { deliveries, poison } = traffic(random);
  const end = await runWorld({
    deliveries,
    account: (now) => playedAccount(control, now, random),
    latencyMs: () => 50 + Math.floor(random() * 1_300),
    random,
    dies: () => random() < 0.002,
  });
  const arrived = end.account.taken.map(({ record }) => nameOf(record));
  const letters = (await end.stub.deadLetters(0, 10_000)).map(({ record }) => nameOf(JSON.parse(record)));
  return { ...end, arrived, letters, poison };
}

function outOfOrder(arrived: readonly string[]): string[] {
  const latest = new Map<string, number>();
  return arrived.filter((name) => {
    const [device = '', n = ''] = name.split('.');
    const isLate = Number(n) < (latest.get(device) ?? 0);
    latest.set(device, Math.max(Number(n), latest.get(device) ?? 0));
    return isLate;
  });
}

describe('5,000 records of 500 browsers, with every fault there is', () => {
  test.each(Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index))(
    'seed %d: every good record arrives once, in order; every other one stands alone in the dead letters',
    async (seed) => {
      const { arrived, letters, poison, stub, deaths, account } = await journey(seed);

      expect(arrived.length + letters.length).toBe(DEVICES * RECORDS_EACH);
      expect(new Set(arrived).size).toBe(arrived.length);
      expect(letters.toSorted()).toEqual(poison.toSorted());
      expect(outOfOrder(arrived)).toEqual([]);
      expect(account.swallowed()).toBe(0);
      expect(busiestMinute(account.arrivals)).toBeLessThanOrEqual(500);
      expect(deaths).toBeGreaterThan(0);
      expect(await stub.status()).toMatchObject({ records: 0, deadLetters: poison.length });
    },
    60_000,
  );
});
