import { describe, expect, test } from 'vitest';
import type { ControlOrder } from '../../../src/sandbox/control.ts';
import { fakeAccount } from '../../fakes/account.ts';
import { deadLettersOf } from '../../fakes/outbox.ts';
import { type Step, simulate } from '../../fakes/simulation.ts';
import { chances, nameOf, outOfOrder, traffic } from '../../fakes/traffic.ts';

const STEPS: Readonly<Record<Step, string>> = {
  'request arrived': 'nothing of it is stored yet',
  'records stored': 'the browser gets no answer',
  'permit requested': 'the gate has not answered',
  'permit granted': 'it is not used',
  'batch sealed': 'its call has not left',
  'records accepted': 'the answer of WebEngage is under way',
  'answer arrived': 'it is not handled yet',
  'report sent': 'the gate has not received it',
  'report received': 'nothing else is done yet',
  slept: 'a wait has ended',
};

const TRAFFIC = { devices: 20, recordsEach: 10, poisonShare: 0.03 };

// Includes every way that a call can end.
const CONTROL: ControlOrder = {
  refuse: { field: 'eventName', value: 'Poison' },
  faults: [
    { fault: 500, chance: 0.05 },
    { fault: '429', chance: 0.03 },
    { fault: 'cut', chance: 0.05 },
    { fault: 403, chance: 0.02 },
  ],
};

async function crashAt(step: Step, nth: number, control: ControlOrder = CONTROL) {
  const random = chances(nth);
  const sent = traffic(random, TRAFFIC);
  let times = 0;
  const end = await simulate({
    deliveries: sent.deliveries,
    account: (now) => fakeAccount(control, now, random),
    latencyMs: () => 700,
    random,
    crashes: (at) => {
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
      const { crashCount, arrived, deadLetters, poison, records, doubles, account } = await crashAt(
        step,
        nth,
      );

      expect(crashCount).toBe(1);
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
    if (step === 'report sent' || step === 'report received') continue; // Nothing is wrong, so there is no report.
    const end = await crashAt(step, 3, ignoring);
    const { totals } = await end.stub.status();
    doubles.set(step, end.doubles);
    expect(new Set(end.arrived).size).toBe(end.records);
    expect(end.doubles).toBeLessThanOrEqual(totals.unknown * 25);
  }

  // After the seal a call may be in flight; the outbox can't know whether it was accepted.
  for (const step of ['request arrived', 'records stored'] as const)
    expect(doubles.get(step)).toBeLessThanOrEqual(6 * 25);
  for (const step of ['records accepted', 'answer arrived'] as const)
    expect(doubles.get(step)).toBeGreaterThan(0);
});
