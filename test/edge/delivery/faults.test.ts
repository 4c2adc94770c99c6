import { describe, expect, test } from 'vitest';
import { LANES } from '../../../src/contract/lane.ts';
import type { ControlOrder } from '../../../src/sandbox/control.ts';
import { busiestMinute, fakeAccount } from '../../fakes/account.ts';
import { deadLettersOf } from '../../fakes/outbox.ts';
import { simulate } from '../../fakes/simulation.ts';
import { chances, nameOf, outOfOrder, traffic } from '../../fakes/traffic.ts';

declare global {
  interface ImportMeta {
    readonly env: Readonly<Record<string, string | undefined>>;
  }
}

const SEEDS = Number(import.meta.env.VITE_SEEDS ?? 4);
const FIRST_SEED = Number(import.meta.env.VITE_FIRST_SEED ?? 1);
// Pages, servers and imports: each device is in one lane.
const TRAFFIC = { devices: 500, recordsEach: 10, poisonShare: 0.01, lanes: LANES };

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
  const sent = traffic(random, TRAFFIC);
  const end = await simulate({
    deliveries: sent.deliveries,
    account: (now) => fakeAccount(control, now, random),
    latencyMs: () => 50 + Math.floor(random() * 1_300),
    gateMs: () => 1 + Math.floor(random() * 100),
    random,
    // Passes that end while calls are in flight.
    passMs: 1_000 + Math.floor(random() * 20_000),
    crashes: () => random() < 0.002,
  });
  const arrived = end.account.taken.map(({ record }) => nameOf(record));
  const deadLetters = (await deadLettersOf(end.stub)).map(({ record }) => nameOf(JSON.parse(record)));
  return { ...end, ...sent, arrived, deadLetters };
}

describe('5,000 records of 500 devices in all lanes under every fault', () => {
  test.each(Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index))(
    'seed %d: every good record arrives once and in order, and every bad one is a dead letter of its own',
    async (seed) => {
      const { arrived, deadLetters, poison, records, stub, crashCount, account, overlaps } =
        await journey(seed);

      expect(arrived.length + deadLetters.length).toBe(records);
      expect(new Set(arrived).size).toBe(arrived.length);
      expect(deadLetters.toSorted()).toEqual(poison.toSorted());
      expect(outOfOrder(arrived)).toEqual([]);
      expect(overlaps).toBe(0);
      expect(account.swallowed()).toBe(0);
      expect(busiestMinute(account.arrivals)).toBeLessThanOrEqual(500);
      expect(crashCount).toBeGreaterThan(0);
      expect(await stub.status()).toMatchObject({ records: 0, deadLetters: poison.length });
    },
    60_000,
  );
});

test('without x-request-id support only calls with an unknown outcome double, and each is counted', async () => {
  const seed = 1;

  const { arrived, records, deadLetters, stub, account } = await journey(seed, {
    ...FAULTS,
    idempotency: 'ignored',
  });

  expect(new Set(arrived).size + deadLetters.length).toBe(records);
  const doubles = arrived.length - new Set(arrived).size;
  const { totals } = await stub.status();
  expect(doubles).toBeGreaterThan(0);
  expect(doubles).toBeLessThanOrEqual(totals.unknown * 25);
  // Every call that arrived is counted, those of an outbox that died meanwhile too.
  expect(account.arrivals.length).toBeLessThanOrEqual(
    totals.taken + totals.refused + totals.paused + totals.misconfigured + totals.unknown,
  );
});
