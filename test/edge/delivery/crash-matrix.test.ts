import { describe, expect, test } from 'vitest';
import type { ControlOrder } from '../../../src/sandbox/control.ts';
import { deadLettersOf } from '../../fakes/outbox.ts';
import { playedAccount } from '../../fakes/played-account.ts';
import { chances, nameOf, outOfOrder, traffic } from '../../fakes/traffic.ts';
import { runWorld, type Step } from '../../fakes/world.ts';

const STEPS: Readonly<Record<Step, string>> = {
  'request came': 'a request has come, and nothing of it is stored',
  'records stored': 'records are stored, and their answer does not arrive',
  'gate asked': 'a permit is asked for',
  'permit granted': 'a permit is granted, and not used',
  'batch sealed': 'a batch is sealed, and its call has not left',
  'records taken': 'WebEngage has the records, and its answer is under way',
  'answer came': 'the answer is there, and nothing is done about it',
  'gate told': 'the gate is to be told of it',
  'gate has heard': 'the gate has been told, and nothing else is done',
  slept: 'a wait is over',
};

const TRAFFIC = { devices: 20, recordsEach: 10, poisonShare: 0.03 };

// Every way that a call can end is in it.
const CONTROL: ControlOrder = {
  refuse: { field: 'eventName', value: 'Poison' },
  faults: [
    { fault: 500, chance: 0.05 },
    { fault: '429', chance: 0.03 },
    { fault: 'cut', chance: 0.05 },
    { fault: 403, chance: 0.02 },
  ],
};

async function dyingAt(step: Step, nth: number, control: ControlOrder = CONTROL) {
  const random = chances(nth);
  const sent = traffic(random, TRAFFIC);
  let times = 0;
  const end = await runWorld({
    deliveries: sent.deliveries,
    account: (now) => playedAccount(control, now, random),
    latencyMs: () => 700,
    random,
    dies: (at) => {
      if (at === step) times += 1;
      return at === step && times === nth;
    },
  });
  const arrived = end.account.taken.map(({ record }) => nameOf(record));
  const deadLetters = (await deadLettersOf(end.stub)).map(({ record }) => nameOf(JSON.parse(record)));
  return { ...end, ...sent, arrived, deadLetters, doubles: arrived.length - new Set(arrived).size };
}

describe.each(Object.entries(STEPS) as [Step, string][])('an outbox that crashes at %s: %s', (step) => {
  test.each([1, 2, 5, 8])(
    'loses nothing, doubles nothing and keeps the order when it crashes the %dth time there',
    async (nth) => {
      const { deaths, arrived, deadLetters, poison, records, doubles, account } = await dyingAt(step, nth);

      expect(deaths).toBe(1);
      expect(arrived.length + deadLetters.length).toBe(records);
      expect(doubles).toBe(0);
      expect(deadLetters.toSorted()).toEqual(poison.toSorted());
      expect(outOfOrder(arrived)).toEqual([]);
      expect(account.swallowed()).toBe(0);
    },
  );
});

test('without x-request-id support only an in-flight call can double, with its at most 25 records', async () => {
  const ignoring: ControlOrder = { idempotency: 'ignored' };
  const doubles = new Map<Step, number>();
  for (const step of Object.keys(STEPS) as Step[]) {
    if (step === 'gate told' || step === 'gate has heard') continue; // Nothing is wrong here to tell of.
    const end = await dyingAt(step, 3, ignoring);
    const { totals } = await end.stub.status();
    doubles.set(step, end.doubles);
    expect(new Set(end.arrived).size).toBe(end.records);
    expect(end.doubles).toBeLessThanOrEqual(totals.unknown * 25);
  }

  // Behind the seal a call may be under way; the outbox can't know whether it was taken.
  for (const step of ['request came', 'records stored'] as const)
    expect(doubles.get(step)).toBeLessThanOrEqual(6 * 25);
  for (const step of ['records taken', 'answer came'] as const) expect(doubles.get(step)).toBeGreaterThan(0);
});
