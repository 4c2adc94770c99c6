import { expect, test } from 'vitest';
import { resolveOptions, type TrackerOptions } from '../../src/tracker/options.ts';
import { memoryStore } from '../../src/tracker/store/memory-store.ts';
import { startTracker } from '../../src/tracker/tracker.ts';
import { accepted, fakePageStorage, fakePlatform, scriptedRelay } from '../fakes/platform.ts';
import { quiet } from '../fakes/played-browser.ts';
import { settled } from '../fakes/settled.ts';

function trackerWith(options: Partial<TrackerOptions> = {}, fakes: Parameters<typeof fakePlatform>[0] = {}) {
  const played = fakePlatform(fakes);
  const settings = resolveOptions({ endpoint: 'https://t.example.com', ...options });
  return { tracker: startTracker(settings, played.platform), ...played };
}

const busy = (retryAfter: string) => () =>
  new Response('', { status: 429, headers: { 'Retry-After': retryAfter } });

const refusal = () => Response.json({ error: { code: 'invalid_batch', message: 'poison' } }, { status: 400 });

const poisoned = (records: readonly object[]) =>
  JSON.stringify(records).includes('poison') ? refusal() : accepted(records);

test('a Retry-After of a year is kept for an hour', async () => {
  const { tracker, relay, time } = trackerWith({}, { relay: scriptedRelay(busy('31536000')) });
  await tracker.track('Clicked');
  await tracker.flush();

  await time.pass(3_600_000);
  expect(relay.requests).toHaveLength(1);

  await time.pass(10_000);
  expect(relay.requests).toHaveLength(2);
});

test.each(['Fri, 31 Dec 2999 23:59:59 GMT', '-5', '', 'soon'])(
  'a Retry-After of %j is an ordinary failure',
  async (text) => {
    const { tracker, time, relay } = trackerWith({}, { relay: scriptedRelay(busy(text)) });
    await tracker.track('Clicked');

    expect(await tracker.flush()).toMatchObject({ settled: false, reason: 'rate_limited', retryInMs: 750 });
    await time.pass(1_000);

    expect(relay.requests).toHaveLength(2);
  },
);

test('a record that is refused alone is given up once another is taken, and costs it nothing', async () => {
  const { tracker, relay, storage } = trackerWith({}, { relay: scriptedRelay(...Array(9).fill(poisoned)) });
  const told: unknown[] = [];
  tracker.on('rejected', ({ issues }) => told.push(issues));
  tracker.on('delivered', ({ ids }) => told.push(ids.length));
  for (const name of ['One', 'poison', 'Two']) void tracker.track(name);

  await tracker.flush();

  expect(told).toContainEqual([{ path: '', message: 'poison' }]);
  expect(await storage.peek(25)).toEqual([]);
  expect(await tracker.stats()).toMatchObject({ tracked: 3, delivered: 2, rejected: 1 });
  expect(relay.requests.length).toBeLessThan(7);
});

test('where nothing is taken, nothing is given up', async () => {
  const { tracker, storage, time } = trackerWith({}, { relay: scriptedRelay(...Array(500).fill(refusal)) });
  for (const name of ['One', 'Two', 'Three']) void tracker.track(name);

  await tracker.flush();
  for (let hour = 0; hour < 12; hour++) {
    await time.pass(600_000);
    await quiet();
  }

  expect(await storage.peek(25)).toHaveLength(3);
});

test('an allowance and a pause from before a clock was put back hold nothing up', async () => {
  const storage = memoryStore();
  const year = 365 * 24 * 3_600_000;
  const relay = scriptedRelay(busy('60'));
  const first = trackerWith({}, { storage, relay });
  first.time.shift(year);
  const ahead = trackerWith({}, { storage, relay, time: first.time });
  await ahead.tracker.track('Clicked');
  await ahead.tracker.flush();
  first.time.shift(-year);

  const { tracker } = trackerWith({}, { storage, time: first.time });
  await tracker.track('Clicked');
  const flushed = tracker.flush();
  await quiet();
  await first.time.pass(2_000);

  expect(await flushed).toEqual({ settled: true });
});

test('an opt-out that neither store keeps is told', async () => {
  const pageStorage = fakePageStorage(new Map(), () => true);
  const { tracker } = trackerWith({}, { degraded: true, pageStorage });
  await tracker.track('Clicked');

  await expect(tracker.optOut()).rejects.toThrow('this page alone');
});

test('the choice outlives either store alone', async () => {
  const storage = memoryStore();
  const map = new Map<string, string>();
  const first = trackerWith({}, { storage, pageStorage: fakePageStorage(map) });
  await first.tracker.track('Clicked');
  await first.tracker.optOut();
  const onlyMark = trackerWith({}, { pageStorage: fakePageStorage(new Map(map)) });
  const onlyDatabase = trackerWith({}, { storage });
  await settled();

  for (const { tracker, relay } of [onlyMark, onlyDatabase]) {
    await tracker.track('Clicked');
    await tracker.flush();
    expect(relay.requests).toEqual([]);
  }
});

test('who opts in again is somebody else, though the mark of the opt-out is gone', async () => {
  const storage = memoryStore();
  const first = trackerWith({}, { storage });
  await first.tracker.identify('ada');
  await first.tracker.optOut();

  const { tracker, relay } = trackerWith({}, { storage });
  await tracker.optIn();
  await tracker.track('Clicked');
  await tracker.flush();

  expect(relay.requests.flatMap(({ records }) => records)).toMatchObject([{ eventName: 'Clicked' }]);
  expect(relay.requests[0]?.records[0]?.userId).toBeUndefined();
});

test('a listener, or middleware, that ends and adds itself as it is called is called once a time', async () => {
  const { tracker } = trackerWith();
  let heard = 0;
  const listen = () => {
    heard += 1;
    stop();
    stop = tracker.on('delivered', listen);
  };
  let stop = tracker.on('delivered', listen);
  let seen = 0;
  const look = () => {
    seen += 1;
    end();
    end = tracker.use(look);
    return undefined;
  };
  let end = tracker.use(look);

  await tracker.track('Clicked');
  await tracker.flush();

  expect([heard, seen]).toEqual([1, 1]);
});

test('a number out of bounds is put to the nearest, and one that is none to the default', () => {
  const endpoint = 'https://t.example.com';
  const given = { batchSize: 26, maxWaitMs: 5, burst: 1.5, maxRecords: Number.NaN, requestsPerMinute: 501 };

  expect(resolveOptions({ endpoint, ...given })).toMatchObject({
    batchSize: 25,
    maxWaitMs: 100,
    burst: 1,
    maxRecords: 10_000,
    requestsPerMinute: 500,
  });
});

test('a setting that needs an add-on fails closed, and names where it is', () => {
  const options = { endpoint: 'https://t.example.com', consent: 'pending' } as TrackerOptions;

  expect(() => resolveOptions(options)).toThrow('consent needs tracker.full.js');
});
