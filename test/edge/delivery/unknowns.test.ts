import { describe, expect, test } from 'vitest';
import { bulkBody } from '../../../src/edge/delivery/webengage.ts';
import type { ControlOrder } from '../../../src/sandbox/control.ts';
import { busiestMinute, type FakeAccount, fakeAccount } from '../../fakes/account.ts';
import { deadLettersOf, delivery } from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';
import { SIMULATION_START, type SimulationOptions, simulate } from '../../fakes/simulation.ts';
import { chances, nameOf, outOfOrder, traffic } from '../../fakes/traffic.ts';

// What no document says of WebEngage: the relay must be right under each answer.

const MINUTE = 60_000;
const POISON = { field: 'eventName', value: 'Poison' };

async function simulateWith(
  control: ControlOrder,
  { poisonShare = 0.01, ...options }: Partial<SimulationOptions> & { readonly poisonShare?: number } = {},
) {
  const random = chances(7);
  const sent = traffic(random, { devices: 60, recordsEach: 10, poisonShare });
  const end = await simulate({
    deliveries: sent.deliveries,
    account: (now) => fakeAccount(control, now, random),
    latencyMs: () => 300,
    random,
    ...options,
  });
  const arrived = end.account.taken.map(({ record }) => nameOf(record));
  const deadLetters = (await deadLettersOf(end.stub)).map(({ record }) => nameOf(JSON.parse(record)));
  return { ...end, ...sent, arrived, deadLetters };
}

type Outcome = Awaited<ReturnType<typeof simulateWith>>;

function expectAllOnce({ arrived, deadLetters, poison, records }: Outcome): void {
  expect(new Set(arrived).size).toBe(arrived.length);
  expect(arrived.length + deadLetters.length).toBe(records);
  expect(deadLetters.toSorted()).toEqual(poison.toSorted());
  expect(outOfOrder(arrived)).toEqual([]);
}

test('success may be 201', async () => {
  expectAllOnce(await simulateWith({ success: 201, refuse: POISON }));
});

describe('an invalid record', () => {
  test.each([400, 413, 422] as const)('fails the whole call with %d', async (status) => {
    const end = await simulateWith({ refuse: { ...POISON, status } });

    expectAllOnce(end);
    const [deadLetter] = await deadLettersOf(end.stub);
    expect(deadLetter).toMatchObject({
      status,
      attempts: expect.any(Number),
      words: expect.stringContaining('Error:'),
    });
  });

  test('fails alone, and nothing else is lost', async () => {
    const { arrived, poison, records, deadLetters } = await simulateWith({
      refuse: POISON,
      invalid: 'drops_record',
    });

    expect(deadLetters).toEqual([]);
    expect(arrived.length).toBe(records - poison.length);
  });
});

test('no call holds more than 25 records, and none is empty', async () => {
  const { account } = await simulateWith({ refuse: POISON });

  // It answers 400 to either.
  expect(account.arrivals.every(({ records }) => records >= 1 && records <= 25)).toBe(true);
});

describe('a configuration error loses nothing and discards nothing, however long it lasts', () => {
  const wrong: readonly [string, ControlOrder][] = [
    ['a wrong license code, answered 400', { license: '~another', wrongLicense: 400 }],
    ['a wrong license code, answered 404', { license: '~another', wrongLicense: 404 }],
    ['a wrong key, answered 401', { acceptKeys: [], wrongKey: 401 }],
    ['a key without the permission, answered 403', { acceptKeys: [], wrongKey: 403 }],
    ['another host that redirects', { fault: 307 }],
  ];

  test.each(wrong)('%s', async (_, control) => {
    let account: FakeAccount | undefined;
    const mended = { at: Number.POSITIVE_INFINITY };
    const end = await simulateWith(control, {
      poisonShare: 0,
      account: (now) => {
        account = fakeAccount(control, now, chances(1));
        return account;
      },
      onAnswer: (now) => {
        if (now < SIMULATION_START + 10 * MINUTE) return;
        mended.at = Math.min(mended.at, now);
        account?.order({});
      },
    });

    expectAllOnce(end);
    expect(end.deadLetters).toEqual([]);
    // One call a minute tries, and a few that were under way at the beginning, or completed a streak.
    const inVain = end.account.arrivals.filter(
      ({ at }) => at < mended.at && at > SIMULATION_START + 2 * MINUTE,
    );
    expect(busiestMinute(inVain)).toBeLessThanOrEqual(1);
    expect(end.gate.suspension).toBeUndefined();
  });

  test('a wrong license code answered 400 in between: the dead letters of the refusal streak are requeued', async () => {
    const random = chances(3);
    let account: FakeAccount | undefined;
    const end = await simulateWith(
      {},
      {
        poisonShare: 0,
        // Single records: each of them would be a dead letter, if it were believed.
        deliveries: Array.from({ length: 60 }, (_, n) => ({
          at: SIMULATION_START + n * 1_500,
          delivery: delivery(`device ${n}`, eventRecord(1, { userId: `device ${n}`, eventData: { n: 1 } })),
        })),
        account: (now) => {
          account = fakeAccount({}, now, random);
          return account;
        },
        onAnswer: (now) => {
          const isWrong = now > SIMULATION_START + 20_000 && now < SIMULATION_START + 5 * MINUTE;
          account?.order(isWrong ? { license: '~another', wrongLicense: 400 } : {});
        },
      },
    );

    expect(end.deadLetters).toEqual([]);
    expect(new Set(end.arrived).size).toBe(60);
    expect(end.arrived).toHaveLength(60);
    expect((await end.stub.status()).totals.requeued).toBeGreaterThan(10);
  });

  test('only the bad records of one page, and few others, become dead letters, and they are not retried forever', async () => {
    const bad = Array.from({ length: 60 }, (_, n) => ({
      at: SIMULATION_START + n,
      delivery: delivery(`bad ${n}`, eventRecord(1, { userId: `bad ${n}`, eventName: 'Poison' })),
    }));
    // Somebody else every three minutes.
    const good = Array.from({ length: 20 }, (_, n) => ({
      at: SIMULATION_START + n * 3 * MINUTE + 1_000,
      delivery: delivery(`good ${n}`, eventRecord(1, { userId: `good ${n}` })),
    }));

    const { stub, arrived, now } = await simulateWith(
      { refuse: POISON },
      { deliveries: [...bad, ...good].sort((a, b) => a.at - b.at) },
    );

    expect(arrived).toHaveLength(20);
    expect(await stub.status()).toMatchObject({ records: 0, deadLetters: 60 });
    expect(now).toBeLessThan(SIMULATION_START + 65 * MINUTE);
  });

  test('a rotated key: the relay tries the secondary key at once and suspends nothing', async () => {
    const end = await simulateWith(
      { acceptKeys: ['secondary-key'] },
      { poisonShare: 0, limits: { requestsPerMinute: 500, hasSecondaryKey: true, importFloor: 0.05 } },
    );

    expectAllOnce(end);
    expect(end.gate).toMatchObject({ key: 'secondary', suspension: undefined });
    expect(end.now - SIMULATION_START).toBeLessThan(MINUTE);
  });
});

describe('x-request-id', () => {
  test('prevents doubles in bulk calls even when answers are lost', async () => {
    expectAllOnce(await simulateWith({ refuse: POISON, faults: [{ fault: 'cut', chance: 0.3 }] }));
  });

  test('is never reused with other records, which would be swallowed', async () => {
    const { account } = await simulateWith({
      refuse: POISON,
      reusedRequestId: 'swallowed',
      faults: [{ fault: 'cut', chance: 0.3 }],
    });

    expect(account.swallowed()).toBe(0);
  });
});

describe('every odd answer, from a third of all calls', () => {
  test.each<[string, ControlOrder['fault'], 'before' | 'after']>([
    ['408', 408, 'before'],
    ['500', 500, 'before'],
    ['502 from behind it', 502, 'after'],
    ['503', 503, 'before'],
    ['504 from behind it', 504, 'after'],
    ['429', '429', 'before'],
    ['403 from a firewall', 403, 'before'],
    ['a gateway’s page', 'page', 'before'],
    ['a broken connection before the records are accepted', 'cut_before', 'before'],
    ['a broken connection after the records are accepted', 'cut', 'after'],
    ['nothing for ten seconds', 'slow', 'after'],
    ['a redirect', 302, 'before'],
  ])('%s', async (_, fault, faultAt) => {
    const faults = [{ fault: fault ?? 'none', faultAt, chance: 1 / 3 }];

    expectAllOnce(await simulateWith({ refuse: POISON, faults, delayMs: 10_000, retryAfter: 'seconds' }));
  });

  test('a maintenance page with status 200 does not count as success', async () => {
    const faults: ControlOrder['faults'] = [{ fault: 'page', chance: 1 / 3 }];

    expectAllOnce(await simulateWith({ refuse: POISON, faults, pageStatus: 200 }));
  });

  test.each(['none', 'seconds', 'date', 'garbage'] as const)(
    'a 429 with %s in its Retry-After',
    async (retryAfter) => {
      const end = await simulateWith(
        { retryAfter, faults: [{ fault: '429', chance: 0.1 }] },
        { poisonShare: 0 },
      );

      expectAllOnce(end);
    },
  );
});

describe('a record that breaks WebEngage each time', () => {
  const people = (count: number, name: string, eventName: string, everyMs: number) =>
    Array.from({ length: count }, (_, n) => ({
      at: SIMULATION_START + n * everyMs,
      delivery: delivery(`${name} ${n}`, eventRecord(1, { userId: `${name} ${n}`, eventName })),
    }));

  /** Answers calls that hold such a record with this status, and takes all others. */
  const breaking = (status: number) => (now: () => number) => {
    const account = fakeAccount({}, now, chances(1));
    const broken = fakeAccount({ fault: status }, now, chances(1));
    return {
      ...account,
      call: (call: Parameters<FakeAccount['call']>[0]) =>
        (call.body.includes('"Breaks it"') ? broken : account).call(call),
    };
  };

  test.each([500, 403, 404, 431])(
    'with %d delays only the records of its batch for a while',
    async (status) => {
      // More than are tried at once while WebEngage is down.
      const bad = people(8, 'bad', 'Breaks it', 3_000);
      const good = people(300, 'good', 'Clicked', 2_000);

      const { account, stub } = await simulateWith(
        {},
        {
          deliveries: [...bad, ...good].sort((a, b) => a.at - b.at),
          account: breaking(status),
          untilMs: 60 * MINUTE,
        },
      );

      // Whoever shares a call with one of them waits longer, but all of the others are there within the hour.
      expect(account.taken.length).toBeGreaterThanOrEqual(280);
      const { records, deadLetters } = await stub.status();
      expect(account.taken.length + records + deadLetters).toBe(308);
      expect(deadLetters).toBeLessThanOrEqual(8);
    },
  );

  test.each([2_000, 10_000, 30_000])(
    'with 403, while another browser sends every %d ms, delays no one',
    async (everyMs) => {
      const bad = people(1, 'bad', 'Breaks it', 1);
      const good = people(3_600_000 / everyMs, 'good', 'Clicked', everyMs);

      const { account, stub, gate } = await simulateWith(
        {},
        {
          deliveries: [...bad, ...good].sort((a, b) => a.at - b.at),
          account: breaking(403),
          untilMs: 90 * MINUTE,
        },
      );

      expect(gate.suspension).toBeUndefined();
      expect(account.taken).toHaveLength(good.length);
      expect(await stub.status()).toMatchObject({ records: 0, deadLetters: 1 });
      // Once it is suspected, nothing waits for it any more.
      const last = account.arrivals.filter(({ at }) => at > SIMULATION_START + 50 * MINUTE).length;
      expect(last).toBeGreaterThan((10 * MINUTE) / everyMs / 3);
    },
  );

  test('becomes a dead letter in the end, and its neighbours arrive', async () => {
    const together = people(10, 'one', 'Clicked', 1).concat(people(1, 'bad', 'Breaks it', 1));
    // For a quarter of a day, and more.
    const later = people(1_000, 'good', 'Clicked', 30_000);

    const { account, stub, deadLetters } = await simulateWith(
      {},
      {
        deliveries: [...together, ...later].sort((a, b) => a.at - b.at),
        account: breaking(500),
        untilMs: 24 * 60 * MINUTE,
      },
    );

    expect(deadLetters).toHaveLength(1);
    expect(account.taken).toHaveLength(1_010);
    expect(await stub.status()).toMatchObject({ records: 0, deadLetters: 1 });
  });
});

describe('a key that may write events but not users', () => {
  const identify = (n: number) => ({
    at: SIMULATION_START + n * 20_000,
    delivery: delivery(`user ${n}`, {
      kind: 'user' as const,
      id: idOf(1),
      userId: `user ${n}`,
      attributes: { n: 1 },
    }),
  });
  const event = (n: number) => ({
    at: SIMULATION_START + n * 5_000,
    delivery: delivery(`visitor ${n}`, eventRecord(1, { userId: `visitor ${n}` })),
  });
  const traffic30 = [
    ...Array.from({ length: 90 }, (_, n) => identify(n)),
    ...Array.from({ length: 360 }, (_, n) => event(n)),
  ].sort((a, b) => a.at - b.at);

  /** Answers calls for users with this status until a moment, and takes all others. */
  const without = (status: number, untilMs: number) => (now: () => number) => {
    const account = fakeAccount({}, now, chances(1));
    const refusing = fakeAccount({ fault: status }, now, chances(1));
    return {
      ...account,
      call: (call: Parameters<FakeAccount['call']>[0]) =>
        (call.kind === 'user' && now() < SIMULATION_START + untilMs ? refusing : account).call(call),
    };
  };

  test.each([403, 503])(
    'answered %d: events go on, no user is discarded, and all arrive once the key may write users',
    async (status) => {
      const { account, stub } = await simulateWith(
        {},
        { deliveries: traffic30, account: without(status, 40 * MINUTE) },
      );

      const events = account.taken.filter(({ path }) => path === 'bulk-events');
      expect(events).toHaveLength(360);
      expect(account.taken).toHaveLength(450);
      expect(await stub.status()).toMatchObject({ records: 0, deadLetters: 0 });
    },
  );
});

test('a minute of nothing but bad records delays good ones only briefly', async () => {
  const bad = Array.from({ length: 100 }, (_, n) => ({
    at: SIMULATION_START + n * 600,
    delivery: delivery(
      `bad ${n}`,
      ...Array.from({ length: 25 }, (_, index) =>
        eventRecord(index + 1, { userId: `bad ${n}`, eventName: 'Poison' }),
      ),
    ),
  }));
  const good = Array.from({ length: 600 }, (_, n) => ({
    at: SIMULATION_START + n * 1_000,
    delivery: delivery(`good ${n}`, eventRecord(1, { userId: `good ${n}` })),
  }));

  const { account } = await simulateWith(
    { refuse: POISON },
    { deliveries: [...bad, ...good].sort((a, b) => a.at - b.at), untilMs: 30 * MINUTE },
  );

  expect(account.taken.length).toBeGreaterThanOrEqual(500);
});

test('a distant gate is still asked', async () => {
  const end = await simulateWith({}, { poisonShare: 0, gateMs: () => 700 });

  expectAllOnce(end);
});

describe('a backlog of 15,000 records at 700 ms an answer', () => {
  const fullFlushes = (count: number) =>
    Array.from({ length: count }, (_, n) => ({
      at: SIMULATION_START + n,
      delivery: delivery(
        `device ${n}`,
        ...Array.from({ length: 25 }, (_, index) => eventRecord(index + 1, { userId: `device ${n}` })),
      ),
    }));
  const backlog = fullFlushes(600);

  const backlogRecords = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const { kind: _kind, age: _age, ...record } = eventRecord(index + 1, { userId: 'device 100' });
      return record;
    });

  test.each<[string, ControlOrder]>([
    ['a sliding minute, shared by both calls', { minute: 'sliding' }],
    ['a fixed minute', { minute: 'fixed' }],
    ['a limit for each of the calls', { limit: 'separate' }],
    ['no X-RateLimit headers', { rateHeaders: 'absent' }],
  ])('uses at least 96 %% of the allowance without a 429: %s', async (_, control) => {
    const { account, mostInFlight, overlaps } = await simulateWith(control, {
      deliveries: backlog,
      latencyMs: () => 700,
    });

    const from = SIMULATION_START + 5_000;
    const used = account.arrivals.filter(({ at }) => at >= from && at < from + MINUTE).length;
    expect(used).toBeGreaterThanOrEqual(480);
    expect(busiestMinute(account.arrivals)).toBeLessThanOrEqual(500);
    expect(account.arrivals.filter(({ status }) => status !== 200)).toEqual([]);
    expect(account.taken).toHaveLength(15_000);
    expect(mostInFlight).toBe(6);
    expect(overlaps).toBe(0);
  });

  test.each([2, 100])(
    'uses at least 96 %% of the allowance in any minute, across the end of a pass: gate %d ms away',
    async (gateMs) => {
      const untilMs = 5_000 + 4 * MINUTE;
      const { account } = await simulateWith(
        {},
        { deliveries: fullFlushes(2_100), latencyMs: () => 700, gateMs: () => gateMs, untilMs },
      );

      for (let from = SIMULATION_START + 5_000; from <= SIMULATION_START + 5_000 + 3 * MINUTE; from += 1_000)
        expect(
          account.arrivals.filter(({ at }) => at >= from && at < from + MINUTE).length,
        ).toBeGreaterThanOrEqual(480);
    },
  );

  test('uses 96 % of the allowance even if the gate is 100 ms away', async () => {
    const { account } = await simulateWith(
      {},
      { deliveries: backlog, latencyMs: () => 700, gateMs: () => 100 },
    );

    const from = SIMULATION_START + 5_000;
    const used = account.arrivals.filter(({ at }) => at >= from && at < from + MINUTE).length;
    expect(used).toBeGreaterThanOrEqual(480);
    expect(busiestMinute(account.arrivals)).toBeLessThanOrEqual(500);
    expect(account.taken).toHaveLength(15_000);
  });

  test('starts at most 500 calls in a minute even if the gate stalls for seconds now and then', async () => {
    let requests = 0;
    const { account } = await simulateWith(
      {},
      {
        deliveries: backlog,
        latencyMs: () => 700,
        gateMs: () => {
          requests += 1;
          return requests % 50 === 0 ? 3_500 : 20;
        },
      },
    );

    expect(busiestMinute(account.arrivals)).toBeLessThanOrEqual(500);
    expect(account.taken).toHaveLength(15_000);
  });

  test('uses calls as large as WebEngage accepts, and keeps to the size that a 413 has taught', async () => {
    const size = bulkBody({ kind: 'event', records: backlogRecords(12) }).length;

    const { account, now } = await simulateWith(
      { maxBodyBytes: size },
      { deliveries: backlog, latencyMs: () => 700 },
    );

    expect(account.taken).toHaveLength(15_000);
    const tooLarge = account.arrivals.filter(({ status }) => status === 413).length;
    expect(tooLarge).toBeLessThan(40);
    // 12 records a call: more than four fifths of 5,760 a minute.
    expect(now - SIMULATION_START).toBeLessThan((15_000 / 5_760 / 0.8) * MINUTE);
  });

  test('leaves room for others who use a third of the account', async () => {
    const { account } = await simulateWith(
      { usedByOthers: 170 },
      { deliveries: backlog, latencyMs: () => 700 },
    );

    expect(account.arrivals.filter(({ status }) => status === 429)).toEqual([]);
    expect(account.taken).toHaveLength(15_000);
  });

  test('slows down if WebEngage allows less than it documents', async () => {
    const { account } = await simulateWith(
      { requestsPerMinute: 120 },
      { deliveries: backlog.slice(0, 200), latencyMs: () => 700 },
    );

    expect(account.arrivals.filter(({ status }) => status === 429)).toEqual([]);
    expect(account.taken).toHaveLength(5_000);
  });
});
