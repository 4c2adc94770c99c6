import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trackPageViews } from '../../../src/page-views/page-views.ts';
import { type ConsentOptions, consent } from '../../../src/tracker/add-ons/consent.ts';
import { resolveOptions } from '../../../src/tracker/options.ts';
import type { TrackerEvents } from '../../../src/tracker/page/events.ts';
import { startTracker } from '../../../src/tracker/tracker.ts';
import { ENDPOINT, fakeBrowser, NAME, nameOf, names, quiet } from '../../fakes/browser/browser.ts';
import { fakePlatform, scriptedRelay } from '../../fakes/platform.ts';

const MARK = `${NAME}?choices`;
const SECOND_MS = 1_000;

const offline = () => new TypeError('Failed to fetch');
const ZEROS = { tracked: 0, buffered: 0, delivered: 0, rejected: 0 };

/** Whether a promise has settled by now. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  await quiet();
  return settled;
}

const asking = (options: ConsentOptions = {}) => ({ plugins: [consent(options)] });
const PENDING = asking();

/**
 * A platform of which each port that is used tells. Time, chance and the page's own are no storage and no network, and a
 * store or a lock that is made ready is not used.
 */
function watchedPlatform(sendsGpc = false) {
  const { platform, time } = fakePlatform({ sendsGpc });
  const QUIET = ['time', 'chance', 'report', 'address', 'sendsGpc'];
  const used: string[] = [];
  const watched = <Ports extends object>(ports: Ports, under = ''): Ports =>
    new Proxy(ports, {
      get: (target, name) => {
        const port: unknown = Reflect.get(target, name);
        if (QUIET.includes(String(name))) return port;
        if (typeof port === 'object' && port) return watched(port, `${String(name)}.`);
        if (typeof port !== 'function') return port;
        if (name === 'store') return (...call: unknown[]) => watched(port(...call), 'store.');
        if (name === 'exclusive')
          return (...call: unknown[]) => {
            const exclusive = port(...call);
            return (task: unknown) => {
              used.push('exclusive');
              return exclusive(task);
            };
          };
        return (...call: unknown[]) => {
          used.push(under + String(name));
          return port(...call);
        };
      },
    });
  return { platform: watched(platform), used, time };
}

describe.each<[string, ConsentOptions, boolean]>([
  ['while consent is pending', {}, false],
  ['while it is denied', { initial: 'denied' }, false],
  ['with Global Privacy Control, if it is respected', { initial: 'granted', respectGpc: true }, true],
])('%s', (_, options, sendsGpc) => {
  test('no storage, lock, network or page event is touched, whatever is called', async () => {
    const { platform, used, time } = watchedPlatform(sendsGpc);
    const settings = resolveOptions({ endpoint: ENDPOINT, backgroundSync: true });
    const tracker = startTracker(settings, platform, [consent(options)]);
    tracker.on('delivered', () => {});
    tracker.use(() => undefined);
    void tracker.identify('johndoe', { email: 'john@doe.com' });
    void tracker.track('e1', { Price: 1 });
    tracker.reset();
    await tracker.stats();
    await tracker.flush();
    dispatchEvent(new Event('pagehide'));
    dispatchEvent(new Event('online'));
    await time.pass(3_600_000);

    expect(used).toEqual([]);

    // By the same eyes, something is.
    await tracker.optIn();
    await tracker.track('e2');
    expect(used).toEqual(
      expect.arrayContaining(['pageStorage.get', 'store.append', 'exclusive', 'watchPage', 'askForSync']),
    );
  });

  test('an unload has stored nothing and sent nothing', async () => {
    const { open, map, disk, sent, time } = fakeBrowser();
    const { tracker, hide, net } = open(asking(options), { sendsGpc });
    void tracker.identify('johndoe');
    void tracker.track('e1');
    hide();
    await time.pass(60 * SECOND_MS);

    expect([[...map], await disk.buffered(), sent(), net.armed()]).toEqual([[], [], [], []]);
  });
});

describe('while consent is pending', () => {
  test('calls wait, and an opt-in makes them in order, with their times, before later ones', async () => {
    const { open, relay, time } = fakeBrowser();
    const { tracker } = open(PENDING);
    const first = tracker.track('e1');
    await time.pass(10 * SECOND_MS);
    void tracker.identify('johndoe', { email: 'john@doe.com' });
    void tracker.track('e2');
    await time.pass(10 * SECOND_MS);
    tracker.reset();
    void tracker.track('e3');
    expect(await hasSettled(first)).toBe(false);
    await time.pass(10 * SECOND_MS);
    void tracker.optIn();
    void tracker.track('e4');
    await first;
    await tracker.flush();

    const records = relay.requests.flatMap((request) => request.records);
    const [e1, identify, e2, e3, e4] = records;
    expect(records).toMatchObject([
      { eventName: 'e1', age: 30_000 },
      { kind: 'user', userId: 'johndoe', age: 20_000 },
      { eventName: 'e2', userId: 'johndoe', age: 20_000 },
      { eventName: 'e3', age: 10_000 },
      { eventName: 'e4' },
    ]);
    const moment = (record = e1) => (record?.kind === 'event' ? Date.parse(record.eventTime ?? '') : 0);
    expect([e2, e3, e4].map((record) => moment(record) - moment(e1))).toEqual([10_000, 20_000, 30_000]);
    expect(identify).toMatchObject({ email: 'john@doe.com' });
    expect(e3).not.toHaveProperty('userId');
  });

  test('an opt-out discards them: they resolve, and nothing is stored, not even a mark', async () => {
    const { open, map, disk, sent, time } = fakeBrowser();
    const { tracker, hide } = open(PENDING);
    const calls = [tracker.identify('johndoe'), tracker.track('e1')];
    await tracker.optOut();
    await Promise.all(calls);
    await tracker.track('e2');
    hide();
    await time.pass(60 * SECOND_MS);

    expect([[...map], await disk.buffered(), sent()]).toEqual([[], [], []]);
    expect(await tracker.stats()).toMatchObject(ZEROS);
    expect(await tracker.flush()).toEqual({ settled: true });
  });

  test('an invalid call rejects at once, and a valid one keeps the values of the time of the call', async () => {
    const { open, relay } = fakeBrowser();
    const { tracker } = open(PENDING);
    const eventData = { Price: 1 };

    await expect(tracker.track('')).rejects.toThrow('eventName must be text of 1 to 999 characters');
    void tracker.track('e1', eventData);
    eventData.Price = 2;
    await tracker.optIn();
    await tracker.flush();

    expect(relay.requests.flatMap(({ records }) => records)).toMatchObject([{ eventData: { Price: 1 } }]);
  });

  test('middleware sees each call at once, and may call optIn', async () => {
    const { open, sent } = fakeBrowser();
    const { tracker } = open(PENDING);
    const seen: string[] = [];
    tracker.use((call) => {
      if (call.kind === 'event') seen.push(call.eventName);
      if (call.kind === 'user') void tracker.optIn();
      return call.kind === 'event' && call.eventName === 'e2' ? null : undefined;
    });

    void tracker.track('e1');
    await tracker.track('e2');
    expect(seen).toEqual(['e1', 'e2']);

    await tracker.identify('johndoe');
    await tracker.flush();
    expect(sent().flat()).toEqual(['e1', 'identify johndoe']);
  });

  test('the stats are unknown, and a flush says so', async () => {
    const { tracker } = fakeBrowser().open(PENDING);
    void tracker.track('e1');

    expect(await tracker.flush()).toEqual({
      settled: false,
      reason: 'no_consent',
      retryInMs: Number.POSITIVE_INFINITY,
    });
    expect(await tracker.stats()).toMatchObject(ZEROS);
  });

  test('beyond maxRecords the oldest event is dropped and reported, and the others keep their visitor', async () => {
    const { open, relay } = fakeBrowser();
    const { tracker } = open({ ...PENDING, maxRecords: 100 });
    const events: TrackerEvents['dropped'][] = [];
    tracker.on('dropped', (what) => events.push(what));
    void tracker.identify('johndoe');
    const calls = names(1, 100).map((name) => tracker.track(name));

    await calls[0];
    expect(events).toEqual([{ ids: [expect.stringMatching(/\.2$/)], reason: 'over_max_records' }]);
    expect(await hasSettled(calls[1] ?? Promise.resolve())).toBe(false);

    await tracker.optIn();
    await tracker.flush();
    const records = relay.requests.flatMap((request) => request.records);
    expect(records.map(({ userId }) => userId)).toEqual(Array(100).fill('johndoe'));
    expect(records.slice(1)).toMatchObject(names(2, 100).map((eventName) => ({ eventName })));
  });

  test('other calls beyond maxRecords do not wait either', async () => {
    const { open, sent } = fakeBrowser();
    const { tracker } = open({ ...PENDING, maxRecords: 100 });
    for (let n = 0; n <= 100; n++) void tracker.identify(`user${n}`);
    await tracker.optIn();
    await tracker.flush();

    expect(sent().flat()).toEqual(Array.from({ length: 100 }, (_, n) => `identify user${n + 1}`));
  });

  test('a page view arrives after the opt-in, with its address and time', async () => {
    const home = location.href;
    const { open, relay, time } = fakeBrowser();
    const { tracker } = open(PENDING);
    history.replaceState(null, '', '/shelf');
    const end = trackPageViews(tracker);
    history.replaceState(null, '', '/cart');
    end();
    await time.pass(10 * SECOND_MS);
    await tracker.optIn();
    await tracker.flush();
    history.replaceState(null, '', home);

    expect(relay.requests.flatMap(({ records }) => records)).toMatchObject([
      { eventName: 'Page Viewed', eventData: { Path: '/shelf' }, age: 10_000 },
    ]);
  });
});

describe('with consent denied', () => {
  test('calls resolve without effect, and calls after an opt-in are made', async () => {
    const { open, sent } = fakeBrowser();
    const { tracker } = open(asking({ initial: 'denied' }));
    await tracker.track('e1');
    await tracker.track('');
    tracker.reset();
    expect(await tracker.flush()).toEqual({ settled: true });
    expect(await tracker.stats()).toMatchObject(ZEROS);

    void tracker.optIn();
    await tracker.track('e2');
    await tracker.flush();
    expect(sent()).toEqual([['e2']]);
  });
});

describe('Global Privacy Control', () => {
  test('denies if it is respected, even if consent is pending, until the visitor opts in', async () => {
    const { open, sent } = fakeBrowser();
    const { tracker } = open(asking({ respectGpc: true }), { sendsGpc: true });
    await tracker.track('e1');
    await tracker.optIn();
    await tracker.track('e2');
    await tracker.flush();

    expect(sent()).toEqual([['e2']]);
  });

  test.each([
    [{ respectGpc: false }, true],
    [{ respectGpc: true }, false],
  ])('changes nothing with %j when it is sent: %s', async (options, sendsGpc) => {
    const { open, sent } = fakeBrowser();
    const { tracker } = open(asking({ initial: 'granted', ...options }), { sendsGpc });
    await tracker.track('e1');
    await tracker.flush();

    expect(sent()).toEqual([['e1']]);
  });
});

/** A visit with consent has left a user and a record that could not be sent. */
async function visited(relay = scriptedRelay(offline)) {
  const browser = fakeBrowser({ relay });
  const page = browser.open(PENDING);
  await page.tracker.optIn();
  await page.tracker.identify('johndoe');
  await page.tracker.flush();
  return { ...browser, page };
}

describe('data of an earlier visit with consent', () => {
  test('is left alone, and sent once there is consent again', async () => {
    const { open, page, sent, time } = await visited();
    await page.crash();
    const next = open(PENDING);
    void next.tracker.track('e1');
    await time.pass(3_600_000);
    expect(sent()).toEqual([['identify johndoe']]);

    await next.tracker.optIn();
    await next.tracker.flush();
    expect(sent().slice(1).flat()).toEqual(['identify johndoe', 'e1']);
  });

  test.each(['pending', 'denied'] as const)('is deleted by an opt-out, from %s', async (state) => {
    const { open, page, map, disk, sent, time } = await visited();
    await page.crash();
    const next = open(asking({ initial: state }));
    const events: unknown[] = [];
    next.tracker.on('dropped', ({ reason }) => events.push(reason));
    void next.tracker.track('e1');
    await next.tracker.optOut();
    await next.tracker.track('e2');
    await time.pass(3_600_000);

    expect([...map]).toEqual([[MARK, '1']]);
    expect(await disk.buffered()).toEqual([]);
    expect(await disk.state.get('visitor')).toEqual({ choices: 1, changes: expect.any(Number) });
    expect(events).toEqual(['opted_out']);
    expect(sent()).toHaveLength(1);
  });

  test.each(['record', 'opt-out'] as const)(
    'is handled by an opt-out that finds only a database: a %s',
    async (left) => {
      const { open, page, map, disk } = await visited();
      if (left === 'opt-out') await page.tracker.optOut();
      await page.crash();
      map.clear();
      const { tracker } = open(PENDING);
      await tracker.optOut();

      expect([...map]).toEqual([[MARK, '1']]);
      expect(await disk.buffered()).toEqual([]);
      expect(await disk.state.get('visitor')).toEqual({ choices: 1, changes: expect.any(Number) });
    },
  );

  test('was absent: an opt-out leaves no database and no mark', async () => {
    const { platform, pageStorage } = fakePlatform();
    const removed: string[] = [];
    const removeStore = async (name: string) => void removed.push(name);
    const settings = resolveOptions({ endpoint: ENDPOINT });
    const tracker = startTracker(settings, { ...platform, removeStore }, [consent()]);
    await tracker.optOut();

    expect(removed).toEqual([NAME]);
    expect(pageStorage.keys()).toEqual([]);
  });

  test('is no longer sent by another tab at work', async () => {
    const { open, page, sent, map } = await visited();
    await open(PENDING).tracker.optOut();
    await page.tracker.track('e1');
    await page.tracker.flush();
    page.hide();

    expect(sent()).toHaveLength(1);
    expect([...map]).toEqual([[MARK, '1']]);
  });

  test('that was an opt-out is overridden by an opt-in, with new ids', async () => {
    const { open, page, relay, map } = await visited();
    await page.tracker.optOut();
    await page.crash();
    const next = open(PENDING);
    const early = next.tracker.track('e1');
    void next.tracker.optIn();
    void next.tracker.track('e2');
    await early;
    await next.tracker.flush();

    expect(map.get(MARK)).toBe('2');
    const [before, after] = relay.requests.map(({ init }) => JSON.parse(String(init.body)));
    expect(after.records).toMatchObject([{ eventName: 'e1' }, { eventName: 'e2' }]);
    expect(after.device).not.toBe(before.device);
    expect(after.records[0]).not.toHaveProperty('userId');
  });

  test('that was an opt-out stays so after another opt-out', async () => {
    const { open, page, map } = await visited();
    await page.tracker.optOut();
    await page.crash();
    const next = open(PENDING);
    await next.tracker.optOut();

    expect([...map]).toEqual([[MARK, '1']]);
  });
});

describe('the last of several choices counts', () => {
  test('an opt-out right after the opt-in', async () => {
    const { open, map, disk, sent, time } = fakeBrowser();
    const { tracker } = open(PENDING);
    const early = tracker.track('e1');
    await Promise.all([tracker.optIn(), tracker.optOut()]);
    await early;
    await tracker.track('e2');
    await time.pass(60 * SECOND_MS);

    expect([[...map.keys()], await disk.buffered(), sent()]).toEqual([[MARK], [], []]);
  });

  test('an opt-in right after the opt-out, which loses no later call', async () => {
    const { open, sent } = fakeBrowser();
    const { tracker } = open(PENDING);
    const early = tracker.track('e1');
    void tracker.optOut();
    void tracker.optIn();
    await tracker.track('e2');
    await early;
    await tracker.flush();

    expect(sent()).toEqual([['e2']]);
  });

  test('an opt-out while the opt-in after an earlier opt-out is still running', async () => {
    const { open, page, map, disk, sent } = await visited();
    await page.tracker.optOut();
    await page.crash();
    const { tracker } = open(PENDING);
    const early = tracker.track('e1');
    disk.hold();
    const yes = tracker.optIn();
    const no = tracker.optOut();
    disk.release();
    await Promise.all([yes, no, early]);
    await quiet();
    await open().tracker.track('e2');

    expect([...map]).toEqual([[MARK, '3']]);
    expect([await disk.buffered(), sent()]).toEqual([[], [['identify johndoe']]]);
  });

  test('an opt-out at the very moment another tab opts in', async () => {
    const { open, page, map } = await visited();
    await page.tracker.optOut();
    map.set(MARK, '2');
    await open(PENDING).tracker.optOut();

    expect([...map]).toEqual([[MARK, '3']]);
  });
});

describe('while an opt-in deletes the data of an earlier opt-out', () => {
  test.each(['granted', 'pending'] as const)(
    'a flush and the stats wait for it, and include calls from before, from %s',
    async (state) => {
      const { open, page, sent } = await visited();
      await page.tracker.optOut();
      await page.crash();
      const { tracker } = open(asking({ initial: state }));
      void tracker.optIn();
      void tracker.track('e1');

      const [stats, flushed] = await Promise.all([tracker.stats(), tracker.flush()]);
      expect(stats).toMatchObject({ tracked: 1 });
      expect(flushed).toEqual({ settled: true });
      expect(sent().at(-1)).toEqual(['e1']);
    },
  );

  test('an opt-out leaves the page following the other tabs, as before', async () => {
    const { open, page } = await visited(scriptedRelay());
    await page.tracker.optOut();
    const other = open(PENDING);
    const yes = page.tracker.optIn();
    await Promise.all([page.tracker.optOut(), yes]);
    await page.tracker.track('e1');
    await other.tracker.optIn();
    await page.tracker.track('e2');

    expect(await page.tracker.stats()).toMatchObject({ tracked: 1 });
  });
});

test.each<[string, object]>([
  ['initial', { initial: 'grantd' }],
  ['initial', { initial: null }],
  ['initial', { initial: true }],
  ['respectGpc', { respectGpc: 'yes' }],
])('an invalid %s is refused: %j', (_, options) => {
  expect(() => consent(options)).toThrow(RangeError);
});

test('names that a page has put on Object.prototype have no effect', async () => {
  Object.defineProperty(Object.prototype, 'initial', { value: 'granted', configurable: true });
  const addOn = consent({});
  Reflect.deleteProperty(Object.prototype, 'initial');

  const tracker = startTracker(resolveOptions({ endpoint: ENDPOINT }), fakePlatform().platform, [addOn]);
  expect(await tracker.flush()).toMatchObject({ settled: false, reason: 'no_consent' });
});

type Act = 'identify' | 'track' | 'reset' | 'optIn' | 'optOut' | 'rest' | 'a second passes';

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Act>('identify', 'track', 'track', 'reset') },
  { weight: 2, arbitrary: fc.constantFrom<Act>('optIn', 'optOut') },
  { weight: 2, arbitrary: fc.constantFrom<Act>('rest', 'a second passes') },
);

test('after any calls in any order, exactly the permitted ones arrive', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('granted' as const, 'pending' as const, 'denied' as const),
      fc.array(acts, { maxLength: 40 }),
      async (initial, all) => {
        const { requests, fetch } = scriptedRelay();
        let isOnline = false;
        const onceOnline: typeof fetch = (...request) =>
          isOnline ? fetch(...request) : Promise.reject(offline());
        const { open, time } = fakeBrowser({ relay: { requests, fetch: onceOnline } });
        const { tracker } = open({ ...asking({ initial }), skipRepeatedIdentify: false });
        const begin = time.now();
        const promises: Promise<unknown>[] = [];
        // The model: what is to arrive, if nothing more is called.
        let state: string = initial;
        let user: string | undefined;
        let expected: { readonly name: string; readonly user: string | undefined; readonly at: number }[] =
          [];
        const isHeard = (name: string) => {
          if (state !== 'denied') expected.push({ name, user, at: time.now() - begin });
        };
        const models: Record<Act, (name: string) => unknown> = {
          track: (name) => {
            promises.push(tracker.track(name));
            isHeard(name);
          },
          identify: (name) => {
            promises.push(tracker.identify(name));
            if (state !== 'denied') user = name;
            isHeard(`identify ${name}`);
          },
          reset: () => {
            tracker.reset();
            user = undefined;
          },
          optIn: () => {
            promises.push(tracker.optIn());
            state = 'granted';
          },
          optOut: () => {
            promises.push(tracker.optOut());
            state = 'denied';
            user = undefined;
            expected = [];
          },
          rest: quiet,
          'a second passes': () => time.pass(SECOND_MS),
        };

        for (const [count, act] of all.entries()) await models[act](`e${count}`);
        if (state === 'pending') models.optIn('');
        await Promise.all(promises);
        isOnline = true;
        await time.pass(3_600 * SECOND_MS);
        await tracker.flush();

        const arrived = requests.flatMap(({ records, init }) => {
          const sentAt = Date.parse(JSON.parse(String(init.body)).sentAt) - begin;
          return records.map((record) => ({
            name: nameOf(record),
            user: record.userId,
            // A body says when it left to the second.
            at: Math.ceil((sentAt - (record.age ?? 0)) / 1_000) * 1_000 || 0,
          }));
        });
        expect(arrived).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});
