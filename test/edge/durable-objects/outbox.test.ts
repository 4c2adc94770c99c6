import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import operating from '../../../docs/guides/operating.md?raw';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { delivery, newOutbox } from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const alarmOf = (stub: DurableObjectStub<Outbox>) =>
  runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
const forgetAlarm = (stub: DurableObjectStub<Outbox>) =>
  runInDurableObject(stub, (_, { storage }) => storage.deleteAlarm());

/** An outbox with one record, and no alarm. */
async function withRecord(): Promise<DurableObjectStub<Outbox>> {
  const stub = newOutbox();
  await stub.ingest('1/0', delivery('a', eventRecord(1)));
  await forgetAlarm(stub);
  return stub;
}

test('a failing pass does not throw out of the alarm, and runs again', async () => {
  const stub = await withRecord();
  // The table is not what it should be: whatever else may be at fault.
  await runInDurableObject(stub, async (_, { storage }) => {
    storage.sql.exec('ALTER TABLE batch RENAME TO elsewhere');
    await storage.setAlarm(Date.now() + 60_000);
  });

  for (let time = 0; time < 8; time++) {
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await alarmOf(stub)).toBeGreaterThan(Date.now());
  }
  await forgetAlarm(stub);
});

test('a flush does not bring a failing pass forward', async () => {
  const stub = await withRecord();
  await runInDurableObject(stub, async (_, { storage }) => {
    storage.sql.exec('ALTER TABLE batch RENAME TO elsewhere');
    await storage.setAlarm(Date.now() + 60_000);
  });
  await runDurableObjectAlarm(stub);
  await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec('ALTER TABLE elsewhere RENAME TO batch'),
  );

  await stub.ingest('1/0', delivery('b', ...Array.from({ length: 25 }, (_, n) => eventRecord(n + 1))));

  expect(await alarmOf(stub)).toBeGreaterThan(Date.now() + 20_000);
  await forgetAlarm(stub);
});

test('the watchdog and the next flush set an alarm again that the platform gave up', async () => {
  const stub = await withRecord();
  expect(await alarmOf(stub)).toBeNull();

  await stub.wake();
  expect(await alarmOf(stub)).toBeGreaterThan(0);

  await forgetAlarm(stub);
  await stub.ingest('1/0', delivery('b', eventRecord(1)));
  expect(await alarmOf(stub)).toBeGreaterThan(0);
  await forgetAlarm(stub);
});

test('a pass keeps an alarm that comes before it is due again, and brings a later one forward', async () => {
  const stub = newOutbox();
  const afterPass = async (set: number) => {
    await runInDurableObject(stub, async (running, { storage }) => {
      await storage.setAlarm(set);
      await running.alarm();
    });
    return alarmOf(stub);
  };
  await stub.ingest('1/0', delivery('a', eventRecord(1)));
  const soon = Date.now() + 500;

  expect(await afterPass(soon)).toBe(soon);
  expect(await afterPass(soon + 3_600_000)).toBeLessThan(soon + 1_000);
  await forgetAlarm(stub);
});

test('the watchdog does not wake an outbox that has nothing to send', async () => {
  const stub = newOutbox();

  expect(await stub.wake()).toBe(true);
  expect(await alarmOf(stub)).toBeNull();
});

test('its counts and contents survive an eviction', async () => {
  const stub = await withRecord();
  const before = await stub.status();

  await evictDurableObject(stub);

  const oldestAgeMs = expect.any(Number);
  const lanes = before.lanes.map((lane) => ({ ...lane, oldestAgeMs }));
  expect(await stub.status()).toEqual({ ...before, oldestAgeMs, lanes });
  expect(before).toMatchObject({ records: 1, totals: { entered: 1 } });
});

test('a pass is one line in the log, without a record or an id', async () => {
  const lines: string[] = [];
  vi.stubGlobal('fetch', async () => Response.json({ response: { status: 'queued' } }));
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  const stub = newOutbox();
  await stub.ingest(
    '1/0',
    delivery('device-of-somebody', ...Array.from({ length: 25 }, (_, n) => eventRecord(n + 1))),
  );

  await vi.waitFor(async () => {
    await runDurableObjectAlarm(stub);
    expect((await stub.status()).records).toBe(0);
  });
  vi.restoreAllMocks();

  const passes = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'relay_pass');
  expect(passes.find(({ delivered }) => delivered === 25)).toEqual({
    event: 'relay_pass',
    outbox: '1/0',
    entered: 0,
    delivered: 25,
    dead_letter: 0,
    taken: 1,
    refused: 0,
    paused: 0,
    misconfigured: 0,
    unknown: 0,
    too_large: 0,
    waiting: 0,
    deadLetters: 0,
    tookMs: expect.any(Number),
    nextInMs: null,
  });
  const [sample = ''] = /^{"event":"relay_pass".*$/m.exec(operating) ?? [];
  expect(Object.keys(JSON.parse(sample))).toEqual(Object.keys(passes[0]));
  expect(lines.join()).not.toMatch(/device-of-somebody|johndoe|Givenchy/);
});

test('the same figures go to Workers Analytics Engine if it is bound', async () => {
  const points: AnalyticsEngineDataPoint[] = [];
  vi.stubGlobal('fetch', async () => new Response('{}'));
  const stub = newOutbox();
  await stub.ingest('1/0', delivery('a', ...Array.from({ length: 25 }, (_, n) => eventRecord(n + 1))));

  await vi.waitFor(async () => {
    await runInDurableObject(stub, (outbox) => {
      const bound = outbox as unknown as { env: object };
      bound.env = {
        ...bound.env,
        ANALYTICS: { writeDataPoint: (point: AnalyticsEngineDataPoint) => points.push(point) },
      };
    });
    await runDurableObjectAlarm(stub);
    expect((await stub.status()).records).toBe(0);
  });

  const [point] = points.filter(({ doubles }) => doubles?.[1] === 25);
  expect(point).toMatchObject({ indexes: ['1/0'], blobs: ['relay_pass'] });
  expect(point?.doubles?.slice(0, 10)).toEqual([0, 25, 0, 1, 0, 0, 0, 0, 0, 0]);
});

test('without a required setting a pass runs again in half a minute, and a full batch does not bring it forward', async () => {
  const stub = await withRecord();
  const from = Date.now();

  await runInDurableObject(stub, async (outbox) => {
    const bound = outbox as unknown as { env: object };
    const { env } = bound;
    bound.env = { ...env, WEBENGAGE_API_KEY: '' };
    await outbox.alarm();
    bound.env = env;
    await outbox.ingest('1/0', delivery('b', ...Array.from({ length: 25 }, (_, n) => eventRecord(n + 1))));
  });

  expect(await alarmOf(stub)).toBeGreaterThanOrEqual(from + 30_000);
  await forgetAlarm(stub);
});

test('each full batch that arrives during calls leaves before they are answered', async () => {
  const answered = Promise.withResolvers<void>();
  let calls = 0;
  vi.stubGlobal('fetch', async () => {
    calls += 1;
    if (calls === 3) answered.resolve();
    await answered.promise;
    return new Response('{}');
  });
  const stub = newOutbox();
  await runInDurableObject(stub, (outbox) => {
    const bound = outbox as unknown as { env: object };
    bound.env = { ...bound.env, LINGER_MS: '10000' };
  });
  const full = Array.from({ length: 25 }, (_, n) => eventRecord(n + 1));

  for (const [index, device] of ['a', 'b', 'c'].entries()) {
    await stub.ingest('1/0', delivery(device, ...full));
    await expect.poll(() => calls).toBe(index + 1);
  }

  await expect.poll(async () => (await stub.status()).records).toBe(0);
});

test('it is registered once, before it stores anything', async () => {
  const stub = newOutbox();
  const enrolled: string[] = [];

  await runInDurableObject(stub, async (outbox) => {
    const bound = outbox as unknown as { env: object };
    const gate = { enrolOutbox: async (name: string) => void enrolled.push(name) };
    bound.env = { ...bound.env, RATE_GATE: { getByName: () => gate } };
    await outbox.ingest('3/1', delivery('a', eventRecord(1)));
    await outbox.ingest('3/1', delivery('a', eventRecord(2)));
  });

  expect(enrolled).toEqual(['3/1']);
  await forgetAlarm(stub);
});

test('a browser over its share is refused for a while and others are not, until the outbox is evicted', async () => {
  vi.stubGlobal('fetch', async () => new Response('', { status: 503 }));
  const stub = newOutbox();
  const full = (from: number) => Array.from({ length: 25 }, (_, n) => eventRecord(from + n));
  const deliveries = Array.from({ length: 40 }, (_, n) => delivery('a', ...full(n * 25 + 1)));
  // At once, and before a pass begins.
  const receipts = await Promise.all(deliveries.map((each) => stub.ingest('1/0', each)));
  await forgetAlarm(stub);
  const stored = receipts.findIndex((receipt) => !receipt.stored);

  // Two seconds of the allowance: what waits beyond is behind.
  expect(stored).toBeGreaterThanOrEqual(16);
  expect(receipts[stored]).toEqual({ stored: false, retryInMs: expect.any(Number) });
  expect(await stub.ingest('1/0', delivery('b', eventRecord(1)))).toMatchObject({ stored: true });
  await forgetAlarm(stub);

  await evictDurableObject(stub);
  expect(await stub.ingest('1/0', delivery('a', ...full(2_000)))).toMatchObject({ stored: true });
  await forgetAlarm(stub);
});

test('a browser that was sent much goes behind one that was not, across passes', async () => {
  const bodies: string[] = [];
  vi.stubGlobal('fetch', async (call: Request) => {
    bodies.push(await call.text());
    return new Response('{}');
  });
  const stub = newOutbox();
  const drained = () =>
    vi.waitFor(async () => {
      await runDurableObjectAlarm(stub);
      expect((await stub.status()).records).toBe(0);
    }, 10_000);
  const full = (from: number) =>
    Array.from({ length: 25 }, (_, n) => eventRecord(from + n, { userId: 'flood' }));
  await stub.ingest('1/0', delivery('a', ...full(1)));
  await drained();

  await Promise.all([
    stub.ingest('1/0', delivery('a', ...full(26))),
    stub.ingest('1/0', delivery('b', eventRecord(1, { userId: 'other' }))),
  ]);
  await drained();

  const users = bodies.map((body) => [...body.matchAll(/"userId":"(\w+)"/g)].map(([, user]) => user));
  expect(users[1]?.[0]).toBe('other');
  expect(users[1]).toHaveLength(25);
});
