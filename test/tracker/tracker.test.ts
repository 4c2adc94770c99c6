import { describe, expect, test } from 'vitest';
import type { EventRecord } from '../../src/contract/record.ts';
import { createTracker, RecordError } from '../../src/tracker/index.ts';
import { resolveOptions, type TrackerOptions } from '../../src/tracker/options.ts';
import { memoryStore } from '../../src/tracker/store/memory-store.ts';
import { startTracker } from '../../src/tracker/tracker.ts';
import { accepted, fakePlatform, fakeTime, scriptedRelay } from '../fakes/platform.ts';
import { settled } from '../fakes/settled.ts';

function trackerWith(options: Partial<TrackerOptions> = {}, fakes: Parameters<typeof fakePlatform>[0] = {}) {
  const fake = fakePlatform(fakes);
  const tracker = startTracker(
    resolveOptions({ endpoint: 'https://t.example.com', ...options }),
    fake.platform,
  );
  const sent = () => fake.relay.requests.flatMap(({ records }) => records);
  return { tracker, sent, ...fake };
}

test('identify and then 60 tracks in one task leave in 3 requests, in order, identify first', async () => {
  const { tracker, relay, sent } = trackerWith();

  void tracker.identify('johndoe', { email: 'j@example.com' });
  for (let n = 1; n <= 60; n++) void tracker.track('Clicked', { n });

  expect(await tracker.flush()).toEqual({ settled: true });
  expect(relay.requests.map(({ records }) => records.length)).toEqual([25, 25, 11]);
  expect(sent()[0]).toMatchObject({ kind: 'user', userId: 'johndoe' });
  expect(
    sent()
      .slice(1)
      .map((record) => (record as EventRecord).eventData?.n),
  ).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
});

test('the promise of a call resolves once its record is in the buffer', async () => {
  const { tracker, storage } = trackerWith();

  await tracker.track('Clicked');

  expect(await storage.peek(25)).toHaveLength(1);
});

test('records of a page load are numbered from 1 under one session', async () => {
  const { tracker, sent } = trackerWith();
  await Promise.all([tracker.track('One'), tracker.track('Two')]);
  await tracker.flush();

  const [first, second] = sent().map(({ id }) => id);
  expect(first).toMatch(/^[\w-]{22}\.1$/);
  expect(second).toBe(first?.replace('.1', '.2'));
});

test('a tracker whose records are all refused, as those of a bot, reports each and does not send it again', async () => {
  const issues = [{ path: '', message: 'comes from a bot, and BOTS is refuse' }];
  const relay = scriptedRelay((records) =>
    accepted([], { rejected: records.map(({ id }) => ({ id, issues })) }),
  );
  const { tracker, time, sent } = trackerWith({}, { relay });
  const rejected: object[] = [];
  tracker.on('rejected', ({ issues: [issue] }) => rejected.push(issue ?? {}));

  for (let n = 0; n < 3; n++) void tracker.track('Clicked');
  const end = await tracker.flush();
  await time.pass(3_600_000);

  expect(end).toEqual({ settled: true });
  expect(sent()).toHaveLength(3);
  expect(rejected).toEqual([...issues, ...issues, ...issues]);
  expect(await tracker.stats()).toMatchObject({ tracked: 3, rejected: 3, delivered: 0, buffered: 0 });
});

describe('an automatic flush', () => {
  test('comes when 25 wait', async () => {
    const { tracker, relay } = trackerWith();
    await settled();

    for (let n = 0; n < 25; n++) void tracker.track('Clicked');
    await settled();

    expect(relay.requests).toHaveLength(1);
  });

  test('comes when the oldest has waited', async () => {
    const { tracker, relay, time } = trackerWith({ maxWaitMs: 2_000 });
    await tracker.track('Clicked');

    await time.pass(1_999);
    expect(relay.requests).toHaveLength(0);
    await time.pass(1);
    expect(relay.requests).toHaveLength(1);
  });

  test.each(['visible', 'online'] as const)('comes when the page is %s', async (moment) => {
    const { tracker, relay, page } = trackerWith();
    await tracker.track('Clicked');

    page.moments?.[moment]();
    await settled();

    expect(relay.requests).toHaveLength(1);
  });

  test('comes at the start, for records of an earlier page', async () => {
    const storage = memoryStore();
    await trackerWith({}, { storage }).tracker.track('Clicked');

    const later = trackerWith({}, { storage, time: fakeTime(Date.parse('2026-11-24T12:00:00Z')) });
    await settled();

    expect(later.sent()).toMatchObject([{ eventName: 'Clicked' }]);
  });
});

describe('a page that is hidden', () => {
  test('sends at once, without a database read or a lock, and settles when it is back', async () => {
    const { tracker, relay, page, storage, time } = trackerWith();
    await tracker.track('Clicked');
    await settled();
    const touched: string[] = [];
    const { peek } = storage;
    Object.assign(storage, {
      peek: (...which: Parameters<typeof peek>) => {
        touched.push('peek');
        return peek(...which);
      },
    });

    page.moments?.hidden();
    await settled();
    expect(relay.requests).toHaveLength(1);
    expect(touched).toEqual([]);

    page.moments?.hidden();
    page.moments?.visible();
    await time.pass(60_000);
    expect(relay.requests).toHaveLength(1);
    expect(await storage.peek(25)).toEqual([]);
  });

  test('without an answer from the relay sends again with the rest', async () => {
    const { tracker, page, sent, time } = trackerWith(
      {},
      { relay: scriptedRelay(() => new TypeError('gone')) },
    );
    await tracker.track('One');

    page.moments?.hidden();
    await settled();
    await tracker.track('Two');
    await time.pass(60_000);

    expect(sent().map((record) => (record as EventRecord).eventName)).toEqual(['One', 'One', 'Two']);
  });

  test('sends nothing of its own before what earlier pages left', async () => {
    const storage = memoryStore();
    const offline = () => scriptedRelay(...Array(9).fill(() => new TypeError('offline')));
    await trackerWith({}, { storage, relay: offline() }).tracker.track('Earlier');

    const { tracker, relay, page } = trackerWith({}, { storage });
    await tracker.track('Later');
    page.moments?.hidden();
    await settled();

    expect(relay.requests).toEqual([]);
  });

  test('with nothing to send does nothing, so that it stays in the back/forward cache', async () => {
    const { tracker, relay, page } = trackerWith();
    await tracker.track('Clicked');
    await tracker.flush();

    page.moments?.hidden();
    await settled();

    expect(relay.requests).toHaveLength(1);
  });

  test('sends nothing during the relay’s pause', async () => {
    const busy = () => new Response('', { status: 429, headers: { 'Retry-After': '60' } });
    const { tracker, relay, page } = trackerWith({}, { relay: scriptedRelay(busy) });
    await tracker.track('Clicked');
    await tracker.flush();

    page.moments?.hidden();
    await settled();

    expect(relay.requests).toHaveLength(1);
  });
});

test('a listener that removes and adds itself during an event is called once', async () => {
  const { tracker } = trackerWith();
  let heard = 0;
  const listen = () => {
    heard += 1;
    end();
    end = tracker.on('delivered', listen);
  };
  let end = tracker.on('delivered', listen);

  await tracker.track('Clicked');
  await tracker.flush();

  expect(heard).toBe(1);
});

describe('a relay in trouble', () => {
  test('gets the same records again, under the same ids, until it accepts them', async () => {
    const relay = scriptedRelay(
      () => new TypeError('Failed to fetch'),
      () => new Response('<html>', { status: 502 }),
      () => new Response('<html>Welcome to the hotel</html>', { status: 200 }),
    );
    const { tracker, time } = trackerWith({}, { relay });
    await tracker.track('Clicked');

    const first = await tracker.flush();
    await time.pass(60_000);

    expect(first).toMatchObject({ settled: false, reason: 'network' });
    expect(relay.requests).toHaveLength(4);
    expect(new Set(relay.requests.map(({ records }) => records[0]?.id)).size).toBe(1);
  });

  test('that requests a pause is not asked before its end, by a flush or after a reload', async () => {
    const storage = memoryStore();
    const relay = scriptedRelay(() => new Response('', { status: 429, headers: { 'Retry-After': '60' } }));
    const { tracker, platform, time } = trackerWith({}, { storage, relay });
    await tracker.track('Clicked');
    await tracker.flush();

    const reloaded = startTracker(resolveOptions({ endpoint: 'https://t.example.com' }), platform);
    expect(await reloaded.flush()).toMatchObject({ settled: false, reason: 'rate_limited' });
    expect(relay.requests).toHaveLength(1);

    await time.pass(62_000);
    expect(relay.requests).toHaveLength(2);
  });

  test('back online: a pause for the network ends, and one that the relay requested does not', async () => {
    const relay = scriptedRelay(
      () => new TypeError('Failed to fetch'),
      () => new Response('', { status: 503, headers: { 'Retry-After': '60' } }),
    );
    const { tracker, page } = trackerWith({}, { relay });
    await tracker.track('Clicked');
    await tracker.flush();

    page.moments?.online();
    await settled();
    expect(relay.requests).toHaveLength(2);

    page.moments?.online();
    await settled();
    expect(relay.requests).toHaveLength(2);
  });
});

test('all requests together respect the allowance', async () => {
  const { tracker, relay, time } = trackerWith({ batchSize: 1, requestsPerMinute: 60, burst: 5 });
  for (let n = 0; n < 30; n++) void tracker.track('Clicked');

  for (let turn = 0; turn < 5; turn++) await settled();
  expect(relay.requests).toHaveLength(5);
  await time.pass(10_000);
  expect(relay.requests.length).toBeLessThanOrEqual(15);
  await time.pass(20_000);
  expect(relay.requests).toHaveLength(30);
});

test('flush waits for the allowance, and resolves when all records are settled', async () => {
  const { tracker, time, sent } = trackerWith({ batchSize: 1 });
  for (let n = 0; n < 8; n++) void tracker.track('Clicked');

  const flushed = tracker.flush();
  await time.pass(5_000);

  expect(await flushed).toEqual({ settled: true });
  expect(sent()).toHaveLength(8);
});

test('flush waits for calls that are still being written', async () => {
  const { tracker, storage, sent } = trackerWith();
  const { append } = storage;
  let write = () => {};
  const held = new Promise<void>((resolve) => {
    write = resolve;
  });
  Object.assign(storage, {
    append: async (change: Parameters<typeof append>[0]) => {
      await held;
      return append(change);
    },
  });
  void tracker.track('Clicked');
  await settled();

  const flushed = tracker.flush();
  await settled();
  write();

  expect(await flushed).toEqual({ settled: true });
  expect(sent()).toHaveLength(1);
});

test('flush is not settled while its records wait, even if the browser releases the lock a second late', async () => {
  const time = fakeTime();
  const locks = {
    query: async () => ({}),
    request: async (_: string, __: LockOptions, task: () => Promise<unknown>) => {
      const end = await task();
      time.set(time.now() + 1_000);
      return end;
    },
  } as unknown as LockManager;
  const relay = scriptedRelay(...Array(9).fill(() => new TypeError('Failed to fetch')));
  const { tracker, storage } = trackerWith({}, { relay, time, locks });
  void tracker.track('Clicked');

  const end = await tracker.flush();

  expect(end).toMatchObject({ settled: false, reason: 'network' });
  expect(await storage.peek(25)).toHaveLength(1);
});

test('reading the visitor writes nothing', async () => {
  const { tracker, storage, page } = trackerWith();
  await tracker.track('Clicked');
  await tracker.flush();
  const written: string[] = [];
  const { update } = storage;
  Object.assign(storage, {
    update: (name: string, change: (value: unknown) => unknown) => {
      written.push(name);
      return update(name, change);
    },
  });

  page.moments?.visible();
  await settled();

  expect(written).toEqual([]);
});

test('flush resolves when earlier records are settled, even if the page tracks faster than it may send', async () => {
  const { tracker, time, sent } = trackerWith({ batchSize: 1, burst: 1 });
  for (const name of ['One', 'Two', 'Three']) await tracker.track(name);
  let done = false;
  void tracker.flush().then(() => {
    done = true;
  });

  for (let second = 0; second < 20 && !done; second++) {
    for (let n = 0; n < 5; n++) await tracker.track('More');
    await time.pass(1_000);
  }

  expect(done).toBe(true);
  expect(sent().map((record) => (record as EventRecord).eventName)).toEqual(
    expect.arrayContaining(['One', 'Two', 'Three']),
  );
});

test('over maxRecords the oldest records are dropped, with an event', async () => {
  const { tracker, storage } = trackerWith(
    { maxRecords: 100 },
    { relay: scriptedRelay(...Array(50).fill(() => new TypeError('offline'))) },
  );
  const dropped: string[] = [];
  tracker.on('dropped', ({ ids, reason }) => dropped.push(...ids, reason));

  for (let n = 0; n < 103; n++) await tracker.track('Clicked');
  await settled();

  expect(await storage.peek(200)).toHaveLength(100);
  expect(dropped.filter((id) => id.includes('.'))).toHaveLength(3);
  expect(dropped).toContain('over_max_records');
});

describe('the visitor', () => {
  test('keeps one anonymous id across visits, and the user id once it is known', async () => {
    const storage = memoryStore();
    const first = trackerWith({}, { storage });
    await first.tracker.track('One');
    await first.tracker.flush();
    const second = trackerWith({}, { storage });
    await second.tracker.track('Two');
    await second.tracker.identify('johndoe');
    await second.tracker.flush();
    const third = trackerWith({}, { storage });
    await third.tracker.track('Three');
    await third.tracker.flush();

    const [{ anonymousId } = {}] = first.sent();
    expect(anonymousId).toMatch(/^[\da-f-]{36}$/);
    expect(second.sent()).toMatchObject([{ anonymousId }, { userId: 'johndoe' }]);
    expect(third.sent()).toMatchObject([{ userId: 'johndoe' }]);
  });

  test('is another one after reset', async () => {
    const { tracker, sent } = trackerWith();
    await tracker.track('One');
    await tracker.identify('johndoe');
    tracker.reset();
    await tracker.track('Two');
    await tracker.flush();

    const [before, , after] = sent();
    expect(after?.userId).toBeUndefined();
    expect(after?.anonymousId).not.toBe(before?.anonymousId);
  });

  test('is not reverted by a read that began before another tab’s change', async () => {
    const { tracker, sent, page } = trackerWith();
    await tracker.track('One');

    page.moments?.visible();
    const identified = tracker.identify('johndoe');
    page.moments?.visible();
    await identified;
    await settled();
    await tracker.track('Two');
    page.moments?.visible();
    tracker.reset();
    await settled();
    await tracker.track('Three');
    await tracker.flush();

    const byName = new Map(sent().map((record) => [(record as EventRecord).eventName, record.userId]));
    expect(byName.get('Two')).toBe('johndoe');
    expect(byName.get('Three')).toBeUndefined();
  });

  test('signed in by another tab stays so when a record of this one is rejected', async () => {
    const storage = memoryStore();
    const other = trackerWith({}, { storage });
    // While the answer is on its way.
    const refuse = async (records: readonly { id: string }[]) => {
      await other.tracker.identify('johndoe');
      const rejected = records.map(({ id }) => ({ id, issues: [{ path: '', message: 'no' }] }));
      return accepted(records, { rejected });
    };
    const one = trackerWith({}, { storage, relay: scriptedRelay(refuse) });
    await one.tracker.track('One');

    await one.tracker.flush();

    expect(await storage.get('visitor')).toMatchObject({ userId: 'johndoe' });
  });

  test('identified again without news makes no record, unless the last one was rejected', async () => {
    const relay = scriptedRelay((records) =>
      accepted(records, {
        accepted: 0,
        rejected: records.map(({ id }) => ({ id, issues: [{ path: 'email', message: 'no' }] })),
      }),
    );
    const { tracker, sent } = trackerWith({}, { relay });
    await tracker.identify('johndoe', { email: 'j@example.com' });
    await tracker.flush();
    await tracker.identify('johndoe', { email: 'j@example.com' });
    await tracker.flush();
    await tracker.identify('johndoe', { email: 'j@example.com' });
    await tracker.flush();

    expect(sent()).toHaveLength(2);
  });
});

describe('invalid input', () => {
  test.each([undefined, null, 7, ''])(
    'track(%j) rejects with the field and the rule, and costs nothing else',
    async (bad) => {
      const { tracker, sent } = trackerWith();

      const rejected = tracker.track(bad as unknown as string);
      const good = tracker.track('Bought');

      await expect(rejected).rejects.toThrow(/^eventName must be text of 1 to/);
      await expect(rejected).rejects.toBeInstanceOf(RecordError);
      await good;
      await tracker.flush();
      expect(sent()).toHaveLength(1);
    },
  );

  test.each([null, undefined, 7, '', 'u'.repeat(101)])(
    'identify(%j) rejects, and signs nobody in',
    async (bad) => {
      const { tracker, sent } = trackerWith();

      const rejected = tracker.identify(bad as unknown as string);
      await expect(rejected).rejects.toThrow('userId must be text of 1 to 100 characters');
      await tracker.track('Bought');
      await tracker.flush();

      expect(sent()).toMatchObject([{ eventName: 'Bought', anonymousId: expect.any(String) }]);
    },
  );

  test('in a profile never costs the sign-in, because the relay judges it', async () => {
    const { tracker, sent } = trackerWith();

    await tracker.identify('ada', { phone: '98765', gender: 'Female' as 'female', birthDate: '1990-05-17' });
    await tracker.track('Bought');
    await tracker.flush();

    expect(sent()).toMatchObject([
      { kind: 'user', userId: 'ada', phone: '98765', gender: 'Female', birthDate: '1990-05-17' },
      { userId: 'ada', eventName: 'Bought' },
    ]);
  });

  test('that no text can hold is left out and reported', async () => {
    const { tracker, sent } = trackerWith();
    const events: unknown[] = [];
    tracker.on('repaired', (repair) => events.push(repair));

    await tracker.track('Bought', { Price: Number.NaN, Quantity: 1 });
    await tracker.flush();

    expect(sent()).toMatchObject([{ eventData: { Quantity: 1 } }]);
    expect(events).toMatchObject([{ record: 'Bought', path: 'eventData.Price', done: 'left_out' }]);
  });

  test('repaired by the relay is reported with the id of its record', async () => {
    const relay = scriptedRelay((records) =>
      accepted(records, {
        repaired: records.map(({ id }) => ({ id, path: 'phone', rule: 'must be E.164', done: 'left_out' })),
      }),
    );
    const { tracker, sent } = trackerWith({}, { relay });
    const events: unknown[] = [];
    tracker.on('repaired', (repair) => events.push(repair));

    await tracker.identify('ada', { phone: '98765' });
    await tracker.flush();

    const repair = { path: 'phone', rule: 'must be E.164', done: 'left_out' };
    expect(events).toEqual([{ id: sent()[0]?.id, record: 'identify', ...repair }]);
  });
});

test('identify without a user id describes the anonymous visitor', async () => {
  const { tracker, sent } = trackerWith();

  await tracker.identify({ email: 'j@example.com' });
  await tracker.track('Bought');
  await tracker.flush();

  const [user, event] = sent();
  expect(user).toMatchObject({ kind: 'user', email: 'j@example.com', anonymousId: event?.anonymousId });
  expect(user).not.toHaveProperty('userId');
});

test('a listener that throws harms no other', async () => {
  const { tracker, sent, reported } = trackerWith();
  const heard: number[] = [];
  tracker.on('delivered', () => {
    throw new Error('the page’s own');
  });
  const stop = tracker.on('delivered', ({ ids }) => heard.push(ids.length));

  await tracker.track('One');
  await tracker.flush();
  stop();
  await tracker.track('Two');
  await tracker.flush();

  expect(reported).toHaveLength(2);
  expect(sent()).toHaveLength(2);
  expect(heard).toEqual([1]);
});

test('degraded storage is reported to listeners from the start', async () => {
  const { tracker } = trackerWith({}, { degraded: true });
  const events: unknown[] = [];
  tracker.on('degraded', (why) => events.push(why));

  await tracker.track('Clicked');

  expect(events).toEqual([{ reason: 'IndexedDB is missing' }]);
});

test('an invalid option throws at creation, with its name', () => {
  expect(() => createTracker({ endpoint: 'https://t.example.com', batchSize: 0 })).toThrow(/batchSize/);
});
