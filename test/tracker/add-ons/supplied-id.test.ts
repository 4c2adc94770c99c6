import { afterEach, describe, expect, test } from 'vitest';
import { consent } from '../../../src/tracker/add-ons/consent.ts';
import {
  type AnonymousIdSource,
  anonymousId,
  cookieNamed,
} from '../../../src/tracker/add-ons/supplied-id.ts';
import { fakeBrowser, nameOf, quiet } from '../../fakes/browser/browser.ts';
import { dedupingRelay } from '../../fakes/deduping-relay.ts';
import { fakeTime } from '../../fakes/platform.ts';

/** A browser whose pages ask this source, and whose each record the relay has under one id. */
function world(source: AnonymousIdSource) {
  const time = fakeTime();
  const { relay, arrived, requests } = dedupingRelay(time);
  const browser = fakeBrowser({ relay, time, hasFallback: true });
  const unmerged: number[] = [];
  const open = (options: Parameters<typeof browser.open>[0] = {}) => {
    const page = browser.open({ plugins: [anonymousId(source)], ...options });
    page.tracker.on('unmerged', ({ waitedMs }) => unmerged.push(waitedMs));
    return page;
  };
  const ids = () =>
    Object.fromEntries(
      [...arrived.values()].map(({ record }) => [nameOf(record), record.userId ?? record.anonymousId]),
    );
  return { ...browser, open, ids, unmerged, requests };
}

const A_RANDOM_ID = expect.stringMatching(/^[\da-f]{8}-/);

describe('an anonymous id from the page', () => {
  test('is the id of anonymous records from the first one on', async () => {
    const { open, ids } = world(() => 'luid-1');
    const { tracker } = open();

    await tracker.track('e1');
    await tracker.identify({ email: 'a@example.com' });
    await tracker.flush();

    expect(ids()).toEqual({ e1: 'luid-1', 'identify undefined': 'luid-1' });
  });

  test('is awaited by a new browser, and meanwhile calls are in the spill and nothing is sent', async () => {
    let id: string | undefined;
    const { open, ids, spilled, requests, time, unmerged } = world(() => id);
    const { tracker } = open();
    void tracker.track('e1');
    await time.pass(2_000);
    void tracker.track('e2');
    await time.pass(1_000);

    expect(spilled()).toEqual(['e1', 'e2']);
    expect(requests).toEqual([]);

    id = 'luid-1';
    await time.pass(200);
    await tracker.flush();
    expect(ids()).toEqual({ e1: 'luid-1', e2: 'luid-1' });
    expect(unmerged).toEqual([]);
  });

  test('may come as a promise that takes longer than a look', async () => {
    let resolve = (_: string) => {};
    const { open, ids, time } = world(() => new Promise((resolved) => (resolve = resolved)));
    const { tracker } = open();
    void tracker.track('e1');
    await time.pass(50);
    const first = resolve;
    await time.pass(1_000);

    first('luid-1');
    await time.pass(200);
    await tracker.flush();

    expect(ids()).toEqual({ e1: 'luid-1' });
  });

  test.each([
    ['returns nothing', () => undefined],
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
    ['never answers', () => new Promise<string>(() => {})],
    ['returns too long an id', () => 'x'.repeat(101)],
    ['returns a number', () => 7 as never],
  ])('is given up after 5 s if the source %s, and a listener gets that once', async (_, source) => {
    const { open, ids, time, unmerged } = world(source);
    const { tracker } = open();
    void tracker.track('e1');
    await time.pass(4_900);
    expect(ids()).toEqual({});

    await time.pass(400);
    await tracker.flush();
    void tracker.track('e2');
    await time.pass(10);
    await tracker.flush();

    expect(ids()).toEqual({ e1: A_RANDOM_ID, e2: ids().e1 });
    expect(unmerged).toEqual([5_000]);
  });

  test('is not awaited again by later pages of a browser without one', async () => {
    const { open, ids, time } = world(() => undefined);
    const first = open();
    void first.tracker.track('e1');
    await time.pass(6_000);
    await first.crash();

    const next = open();
    void next.tracker.track('e2');
    await time.pass(10);
    await next.tracker.flush();

    expect(ids().e2).toBe(ids().e1);
  });

  test('is taken by later records if it comes after all', async () => {
    let id: string | undefined;
    const { open, ids, time } = world(() => id);
    const { tracker } = open();
    void tracker.track('e1');
    await time.pass(6_000);
    id = 'luid-1';

    await tracker.track('e2');
    await tracker.flush();

    expect(ids()).toEqual({ e1: A_RANDOM_ID, e2: 'luid-1' });
  });

  test('stays known while the source is silent on the next page', async () => {
    let id: string | undefined = 'luid-1';
    const { open, ids, time } = world(() => id);
    const first = open();
    await first.tracker.track('e1');
    await first.crash();
    id = undefined;

    const next = open();
    void next.tracker.track('e2');
    await time.pass(10);
    await next.tracker.flush();

    expect(ids()).toEqual({ e1: 'luid-1', e2: 'luid-1' });
  });
});

describe('a page that is left before the id is known', () => {
  test('leaves its calls to the next page, which gives them the id that it finds', async () => {
    let id: string | undefined;
    const { open, ids, requests, time } = world(() => id);
    const first = open();
    void first.tracker.track('e1');
    await time.pass(1_000);
    first.hide();
    await first.crash();
    expect(requests).toEqual([]);
    id = 'luid-1';

    const next = open();
    await next.tracker.track('e2');
    await next.tracker.flush();

    expect(ids()).toEqual({ e1: 'luid-1', e2: 'luid-1' });
  });

  test('loses no call even if its browser is killed', async () => {
    let id: string | undefined;
    const { open, ids, time } = world(() => id);
    const first = open();
    await time.pass(10);
    void first.tracker.track('e1');
    await time.pass(1_000);
    await first.crash();
    id = 'luid-1';

    await open().tracker.flush();

    expect(ids()).toEqual({ e1: 'luid-1' });
  });

  test('sends nothing under an id that the next page may not give, after a reset', async () => {
    let id = 'luid-1';
    const { open, ids, time } = world(() => id);
    const first = open();
    await first.tracker.track('e1');
    await first.tracker.flush();
    first.tracker.reset();
    void first.tracker.track('e2');
    await time.pass(500);
    first.hide();
    await first.crash();
    expect(ids()).toEqual({ e1: 'luid-1' });
    id = 'luid-2';

    const next = open();
    await time.pass(10);
    await next.tracker.flush();

    expect(ids()).toEqual({ e1: 'luid-1', e2: 'luid-2' });
  });
});

describe('after a reset', () => {
  test('the next visitor has the next id of the source', async () => {
    let id = 'luid-1';
    const { open, ids, time } = world(() => id);
    const { tracker } = open();
    await tracker.track('e1');
    tracker.reset();
    void tracker.track('e2');
    await time.pass(1_000);
    id = 'luid-2';
    await time.pass(200);
    await tracker.flush();

    expect(ids()).toEqual({ e1: 'luid-1', e2: 'luid-2' });
  });

  test.each(['identify', 'track'])(
    'the next visitor never has the id of the one before, who began with %s',
    async (first) => {
      const { open, ids, time, unmerged } = world(() => 'luid-1');
      const { tracker } = open();
      await (first === 'identify' ? tracker.identify('ada') : tracker.track('e1'));
      tracker.reset();
      void tracker.track('e2');
      await time.pass(6_000);
      await tracker.track('e3');
      await tracker.flush();

      expect(ids()).toMatchObject({ e2: A_RANDOM_ID, e3: ids().e2 });
      expect(unmerged).toHaveLength(1);
    },
  );

  test('in another tab too', async () => {
    const { open, ids, time } = world(() => 'luid-1');
    const one = open();
    const other = open();
    await one.tracker.identify('ada');
    await quiet();
    other.tracker.reset();
    await time.pass(6_000);

    await one.tracker.track('e1');
    await one.tracker.flush();

    expect(ids()).toEqual({ 'identify ada': 'ada', e1: A_RANDOM_ID });
  });

  test('in another tab too, while that tab is writing', async () => {
    const { open, ids, time, disk } = world(() => 'luid-1');
    const one = open();
    const other = open();
    await one.tracker.identify('ada');
    await quiet();
    disk.hold();
    void one.tracker.track('e1');
    await quiet();
    other.tracker.reset();
    await quiet();

    void one.tracker.track('e2');
    disk.release();
    await time.pass(6_000);
    await one.tracker.flush();

    expect(ids()).toEqual({ 'identify ada': 'ada', e1: 'ada', e2: A_RANDOM_ID });
  });
});

describe('a visitor', () => {
  test('signed in on a browser that is known does not wait', async () => {
    let id: string | undefined = 'luid-1';
    const { open, ids, time } = world(() => id);
    const first = open();
    await first.tracker.identify('ada');
    await first.crash();
    id = undefined;

    const next = open();
    void next.tracker.track('e1');
    await time.pass(10);
    await next.tracker.flush();

    expect(ids()).toEqual({ 'identify ada': 'ada', e1: 'ada' });
  });

  test('before consent causes no question to the source', async () => {
    let asked = 0;
    const source = () => {
      asked += 1;
      return 'luid-1';
    };
    const { open, ids, time } = world(source);
    const { tracker } = open({ plugins: [consent(), anonymousId(source)] });
    void tracker.track('e1');
    await time.pass(1_000);
    expect(asked).toBe(0);

    await tracker.optIn();
    await tracker.flush();
    expect(ids()).toEqual({ e1: 'luid-1' });
  });

  test('opting out meanwhile does not wait for it', async () => {
    const { open, ids, time, unmerged } = world(() => undefined);
    const { tracker } = open();
    void tracker.track('e1');
    await time.pass(1_000);
    let isOut = false;
    void tracker.optOut().then(() => {
      isOut = true;
    });
    await time.pass(200);

    expect(isOut).toBe(true);
    expect(ids()).toEqual({});
    expect(unmerged).toEqual([]);
  });

  test('without a database has the id, too', async () => {
    const { open, ids } = world(() => 'luid-1');
    const { tracker } = open({ memory: true });

    await tracker.track('e1');
    await tracker.flush();

    expect(ids()).toEqual({ e1: 'luid-1' });
  });
});

describe('a cookie', () => {
  afterEach(() => {
    Reflect.deleteProperty(document, 'cookie');
  });

  const within = (cookie: string) =>
    Object.defineProperty(document, 'cookie', { get: () => cookie, configurable: true });

  test.each([
    ['we_luid=abc', 'abc'],
    ['other=1; we_luid=a%3Db; last=2', 'a=b'],
    ['we_luid=a=b', 'a=b'],
    ['not_we_luid=abc', ''],
    ['we_luid2=abc', ''],
    ['', ''],
  ])('in %s', (cookie, value) => {
    within(cookie);

    expect(cookieNamed('we_luid')()).toBe(value);
  });
});
