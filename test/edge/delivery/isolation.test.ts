import { describe, expect, test } from 'vitest';
import type { ControlOrder } from '../../../src/sandbox/control.ts';
import { busiestMinute, fakeAccount } from '../../fakes/account.ts';
import { deadLettersOf, delivery } from '../../fakes/outbox.ts';
import { eventRecord, userRecord } from '../../fakes/records.ts';
import { SIMULATION_START, simulate } from '../../fakes/simulation.ts';
import { chances, nameOf, outOfOrder } from '../../fakes/traffic.ts';

const MINUTE = 60_000;
const FULL_MINUTE = 0.96 * 500 * 25;

/** A minute in the midst of a backlog of which some records are refused, at 700 ms an answer. */
async function minuteWith(share: number, bad: object, refuse: NonNullable<ControlOrder['refuse']>) {
  const random = chances(11);
  const deliveries = Array.from({ length: 5_000 }, (_, n) => {
    const userId = `device ${n}`;
    const records = Array.from({ length: 5 }, (_, index) =>
      eventRecord(index + 1, { userId, ...(random() < share && bad) }),
    );
    return { at: SIMULATION_START + n * 4, delivery: delivery(userId, ...records) };
  });
  const { account } = await simulate({
    deliveries,
    account: (now) => fakeAccount({ refuse }, now, random),
    latencyMs: () => 700,
    random,
    untilMs: 80_000,
  });
  const from = SIMULATION_START + 10_000;
  const calls = account.arrivals.filter(({ at }) => at >= from && at < from + MINUTE);
  const taken = calls.filter(({ status }) => status === 200);
  return {
    records: taken.reduce((sum, { records }) => sum + records, 0),
    calls: calls.length,
    whole: calls.filter(({ records }) => records === 25).length,
    busiest: busiestMinute(account.arrivals),
  };
}

describe.each([0.001, 0.003, 0.01, 0.03])('when %d of the records are refused', (share) => {
  test('the others keep at least 85 % of the allowance if the refused ones look alike', async () => {
    const { records, busiest } = await minuteWith(
      share,
      { eventName: 'Poison' },
      { field: 'eventName', value: 'Poison' },
    );

    expect(records).toBeGreaterThanOrEqual(0.85 * FULL_MINUTE);
    expect(busiest).toBeLessThanOrEqual(500);
  });

  test('the search for them takes at most a tenth of the calls if they look like all others', async () => {
    const { calls, whole } = await minuteWith(
      share,
      { eventData: { Price: -1 } },
      { field: 'eventData.Price', value: -1 },
    );

    expect(calls).toBeGreaterThanOrEqual(0.95 * 480);
    expect(whole).toBeGreaterThanOrEqual(0.85 * 480);
  });
});

test.each([1, 2])(
  'good records that look like refused ones arrive once and in order, whatever crashes: seed %d',
  async (seed) => {
    const random = chances(seed);
    const bad: string[] = [];
    let made = 0;
    const deliveries = Array.from({ length: 600 }, (_, flush) => {
      const userId = `device ${flush % 200}`;
      const records = Array.from({ length: 4 }, (_, index) => {
        const n = Math.floor(flush / 200) * 4 + index + 1;
        const isRisky = random() < 0.3;
        const Price = isRisky && random() < 0.3 ? -1 : 1;
        if (Price < 0) bad.push(`${userId}.${n}`);
        made += 1;
        return random() < 0.2 && !isRisky
          ? userRecord(n, { userId, attributes: { n } })
          : eventRecord(n, { userId, eventName: isRisky ? 'Risky' : 'Plain', eventData: { n, Price } });
      });
      return { at: SIMULATION_START + flush * 30, delivery: delivery(userId, ...records) };
    });
    const { account, stub } = await simulate({
      deliveries,
      account: (now) =>
        fakeAccount(
          {
            refuse: { field: 'eventData.Price', value: -1 },
            faults: [
              { fault: 500, chance: 0.03 },
              { fault: 'cut', chance: 0.03 },
              { fault: '429', chance: 0.01 },
            ],
          },
          now,
          random,
        ),
      latencyMs: () => 300,
      random,
      crashes: () => random() < 0.001,
    });

    const arrived = account.taken.map(({ record }) => nameOf(record));
    const deadLetters = (await deadLettersOf(stub)).map(({ record }) => nameOf(JSON.parse(record)));
    expect(arrived.length + deadLetters.length).toBe(made);
    expect(new Set(arrived).size).toBe(arrived.length);
    expect(deadLetters.toSorted()).toEqual(bad.toSorted());
    expect(outOfOrder(arrived)).toEqual([]);
  },
);
