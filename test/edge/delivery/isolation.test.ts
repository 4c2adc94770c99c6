import { describe, expect, test } from 'vitest';
import type { ControlOrder } from '../../../demo/sandbox/control.ts';
import { delivery } from '../../fakes/outbox.ts';
import { busiestMinute, playedAccount } from '../../fakes/played-account.ts';
import { eventRecord } from '../../fakes/records.ts';
import { chances } from '../../fakes/traffic.ts';
import { runWorld, WORLD_BEGINS } from '../../fakes/world.ts';

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
    return { at: WORLD_BEGINS + n * 4, delivery: delivery(userId, ...records) };
  });
  const { account } = await runWorld({
    deliveries,
    account: (now) => playedAccount({ refuse }, now, random),
    latencyMs: () => 700,
    random,
    untilMs: 80_000,
  });
  const from = WORLD_BEGINS + 10_000;
  const calls = account.arrivals.filter(({ at }) => at >= from && at < from + MINUTE);
  const taken = calls.filter(({ status }) => status === 200);
  return {
    records: taken.reduce((sum, { records }) => sum + records, 0),
    calls: calls.length,
    whole: calls.filter(({ records }) => records === 25).length,
    busiest: busiestMinute(account.arrivals),
  };
}

describe.each([0.001, 0.003, 0.01, 0.03])('where %d of the records are refused', (share) => {
  test('the others keep at least 85 % of the allowance, where these look alike', async () => {
    const { records, busiest } = await minuteWith(
      share,
      { eventName: 'Poison' },
      { field: 'eventName', value: 'Poison' },
    );

    expect(records).toBeGreaterThanOrEqual(0.85 * FULL_MINUTE);
    expect(busiest).toBeLessThanOrEqual(500);
  });

  test('looking for them takes a tenth of the calls, and no more, where they look like all others', async () => {
    const { calls, whole } = await minuteWith(
      share,
      { eventData: { Price: -1 } },
      { field: 'eventData.Price', value: -1 },
    );

    expect(calls).toBeGreaterThanOrEqual(0.95 * 480);
    expect(whole).toBeGreaterThanOrEqual(0.85 * 480);
  });
});
