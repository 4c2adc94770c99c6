import { describe, expect, test } from 'vitest';
import { identityTokens } from '../../src/tracker/add-ons/identity-tokens.ts';
import { resolveOptions } from '../../src/tracker/options.ts';
import type { TrackerEvents } from '../../src/tracker/page/events.ts';
import type { Timeout } from '../../src/tracker/platform/time.ts';
import { openDatabase } from '../../src/tracker/store/database.ts';
import { recordStore } from '../../src/tracker/store/record-store.ts';
import { startTracker } from '../../src/tracker/tracker.ts';
import { ENDPOINT, fakeBrowser, NAME, names, quiet } from '../fakes/browser/browser.ts';
import { jwt } from '../fakes/browser/identity.ts';
import { accepted, fakePageStorage, fakePlatform, scriptedRelay } from '../fakes/platform.ts';

const MARK = `${NAME}?choices`;

const never = () => new Promise<Response>(() => {});
const offline = () => new TypeError('Failed to fetch');

const devices = (relay: ReturnType<typeof scriptedRelay>) =>
  relay.requests.map(({ init }) => JSON.parse(String(init.body)).device);

describe('a visitor who has opted out', () => {
  test('leaves nothing behind but the mark of the opt-out', async () => {
    const { open, map, disk } = fakeBrowser({ relay: scriptedRelay(...Array(9).fill(offline)) });
    const { tracker, net, hide, show } = open();
    await tracker.identify('johndoe', { email: 'john@doe.com' });
    await tracker.track('e1');
    await tracker.flush();
    void tracker.track('e2');
    hide();
    show();
    await tracker.optOut();

    expect([...map]).toEqual([[MARK, '1']]);
    expect(await disk.buffered()).toEqual([]);
    expect(await disk.state.get('visitor')).toEqual({
      choices: 1,
      changes: expect.any(Number),
    });
    expect(await disk.state.get('rate')).toBe(undefined);
    expect(net.armed()).toEqual([]);
  });

  test('causes an event for every waiting record, of any page and even the newest', async () => {
    const { open } = fakeBrowser({ relay: scriptedRelay(...Array(9).fill(offline)) });
    const first = open();
    for (const name of names(1, 40)) void first.tracker.track(name);
    await quiet();
    await first.crash();
    const { tracker } = open();
    const events: TrackerEvents['dropped'][] = [];
    tracker.on('dropped', (what) => events.push(what));
    const just = tracker.track('just');
    await tracker.optOut();

    await just;
    expect(new Set(events.map(({ reason }) => reason))).toEqual(new Set(['opted_out']));
    expect(new Set(events.flatMap(({ ids }) => ids)).size).toBe(41);
  });

  test('is not tracked any more, in no tab and on no later visit, whatever is called', async () => {
    const { open, sent, map, disk, time } = fakeBrowser();
    const [one, other] = [open(), open()];
    await other.tracker.identify('johndoe');
    await other.tracker.flush();
    await one.tracker.optOut();
    const before = sent().length;

    const next = open();
    for (const page of [one, other, next]) {
      await page.tracker.track('e1');
      await page.tracker.identify('johndoe');
      page.tracker.reset();
      expect(await page.tracker.flush()).toEqual({ settled: true });
      expect(await page.tracker.stats()).toMatchObject({ tracked: 0, buffered: 0 });
      page.online();
      page.show();
      page.hide();
      await page.tracker.optOut();
    }
    await time.pass(3_600_000);

    expect(sent()).toHaveLength(before);
    expect([...map]).toEqual([[MARK, '1']]);
    expect(await disk.buffered()).toEqual([]);
  });

  test('has another tab’s deferred request cancelled as that tab unloads', async () => {
    const { open, time, sent } = fakeBrowser({ relay: scriptedRelay(...Array(9).fill(offline)) });
    const [one, other] = [open(), open()];
    await other.tracker.track('e1');
    await time.pass(1_000);
    expect(other.net.armed()).toHaveLength(1);
    await one.tracker.optOut();
    const before = sent().length;

    other.hide();

    expect(other.net.armed()).toEqual([]);
    expect(sent()).toHaveLength(before);
  });

  test('is out during a request, whose answer is awaited', async () => {
    let answer = (_: Response) => {};
    const relay = scriptedRelay(() => new Promise((resolve) => (answer = resolve)));
    const { open, map, disk, sent } = fakeBrowser({ relay });
    const { tracker } = open();
    const events: unknown[] = [];
    tracker.on('dropped', ({ ids }) => events.push(ids));
    await tracker.track('e1');
    void tracker.flush();
    await quiet();
    const out = tracker.optOut();
    await tracker.track('e2');
    await quiet();
    answer(new Response('', { status: 503 }));
    await out;

    expect(sent()).toEqual([['e1']]);
    expect(events).toHaveLength(1);
    expect([...map.keys()]).toEqual([MARK]);
    expect(await disk.buffered()).toEqual([]);
  });

  test('has sent the last batch: no waiting record follows it', async () => {
    let answer = () => {};
    const relay = scriptedRelay(
      (records) => new Promise((resolve) => (answer = () => resolve(accepted(records)))),
    );
    const { open, sent } = fakeBrowser({ relay });
    const { tracker } = open();
    const events: string[] = [];
    tracker.on('dropped', ({ ids }) => events.push(...ids));
    tracker.on('delivered', ({ ids }) => events.push(...ids));
    await Promise.all(names(1, 40).map((name) => tracker.track(name)));
    await quiet();
    const out = tracker.optOut();
    answer();
    await out;

    expect(sent()).toEqual([names(1, 25)]);
    // The batch under way too: what becomes of it is not waited for.
    expect(events).toHaveLength(40);
    expect(new Set(events).size).toBe(40);
  });

  test('stops other tabs that were about to send', async () => {
    let answer = () => {};
    const relay = scriptedRelay(
      (records) => new Promise((resolve) => (answer = () => resolve(accepted(records)))),
    );
    const { open, sent } = fakeBrowser({ relay });
    const [one, other] = [open(), open()];
    await Promise.all(names(1, 60).map((name) => one.tracker.track(name)));
    await quiet();
    void other.tracker.flush();
    await quiet();
    const out = one.tracker.optOut();
    answer();
    await out;

    expect(sent()).toEqual([names(1, 25)]);
  });

  test.each([
    ['takes them', accepted],
    ['is out of reach', offline],
  ])(
    'at any moment of another tab’s flush leaves the mark alone, and nothing is sent from then on: the relay %s',
    async (_, exchange) => {
      const sentAs: number[] = [];
      for (let turns = 0; turns < 120; turns++) {
        const { open, map, disk, sent } = fakeBrowser({ relay: scriptedRelay(exchange) });
        const [one, other] = [open(), open()];
        await one.tracker.track('e1');
        await other.tracker.stats();
        await quiet();
        void one.tracker.flush();
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        const before = sent().length;
        await other.tracker.optOut();
        await quiet();

        sentAs.push(before);
        expect([turns, sent().length]).toEqual([turns, before]);
        expect([...map]).toEqual([[MARK, '1']]);
        expect(await disk.buffered()).toEqual([]);
        expect([turns, await disk.state.get('rate'), await disk.state.get('counts')]).toEqual([
          turns,
          undefined,
          undefined,
        ]);
      }
      expect(new Set(sentAs)).toEqual(new Set([0, 1]));
    },
  );

  test('has a deferred request cancelled at once', async () => {
    const { open, time } = fakeBrowser({ relay: scriptedRelay(...Array(9).fill(never)) });
    const { tracker, net } = open({ maxWaitMs: 3_600_000 });
    await tracker.track('e1');
    await time.pass(1_000);
    expect(net.armed()).toHaveLength(1);

    void tracker.optOut();

    expect(net.armed()).toEqual([]);
  });

  test('has leftover data deleted by the next page if the tab that should do so unloads', async () => {
    const { open, map, disk } = fakeBrowser({ relay: scriptedRelay(never) });
    const { tracker, hide, crash } = open();
    await tracker.track('e1');
    void tracker.flush();
    await quiet();
    hide();
    void tracker.optOut();
    await crash();
    expect(await disk.buffered()).toHaveLength(1);

    open();
    await quiet();

    expect([...map]).toEqual([[MARK, '1']]);
    expect(await disk.buffered()).toEqual([]);
    expect(await disk.state.get('visitor')).toEqual({ choices: 1, changes: expect.any(Number) });
  });

  test('has leftover data deleted by the next page if the database did not answer', async () => {
    const { open, map, disk, time } = fakeBrowser({ relay: scriptedRelay(never), hasFallback: true });
    const first = open();
    await first.tracker.track('e1');
    await first.crash();
    disk.hold();
    const { tracker, crash } = open();
    const out = tracker.optOut();
    await time.pass(10_000);
    await out;
    await crash();
    disk.release();
    expect(await disk.buffered()).toHaveLength(1);

    open();
    await quiet();

    expect([...map]).toEqual([[MARK, '1']]);
    expect(await disk.buffered()).toEqual([]);
  });

  test('is asked for no identity token any more', async () => {
    const asked: string[] = [];
    const identityToken = (userId: string) => {
      asked.push(userId);
      throw new Error('500');
    };
    const { open, time } = fakeBrowser();
    const { tracker } = open({ plugins: [identityTokens(identityToken)] });
    await tracker.identify('johndoe');
    await tracker.flush();
    await tracker.optOut();
    await time.pass(3_600_000);

    expect(asked).toEqual(['johndoe']);
  });

  test('is a new visitor on a new device after an opt-in', async () => {
    const { open, relay, sent } = fakeBrowser();
    const { tracker } = open();
    await tracker.identify('johndoe');
    await tracker.flush();
    void tracker.optOut();
    await tracker.optIn();
    await tracker.track('e1');
    await tracker.flush();

    expect(sent()).toEqual([['identify johndoe'], ['e1']]);
    const [before, after] = devices(relay);
    expect(after).not.toBe(before);
    expect(relay.requests[1]?.records[0]).not.toHaveProperty('userId');
    expect(await tracker.stats()).toMatchObject({ tracked: 1, delivered: 1 });
  });

  test('and opted in again is tracked by a tab that has seen neither', async () => {
    const { open, relay, sent, time } = fakeBrowser({ relay: scriptedRelay(offline) });
    const [one, other] = [open(), open()];
    await other.tracker.identify('johndoe');
    await other.tracker.flush();
    await one.tracker.optOut();
    await one.tracker.optIn();
    other.hide();
    other.show();
    await other.tracker.track('e1');
    await other.tracker.flush();
    await time.pass(600_000);

    expect(sent()).toEqual([['identify johndoe'], ['e1']]);
    expect(new Set(devices(relay)).size).toBe(2);
    expect(relay.requests[1]?.records[0]).not.toHaveProperty('userId');
  });

  test('gets a rejection without any storage, and is out for the life of the page', async () => {
    const relay = scriptedRelay();
    const { platform, time } = fakePlatform({
      relay,
      degraded: true,
      pageStorage: { ...fakePageStorage(), set: () => false },
    });
    const tracker = startTracker(resolveOptions({ endpoint: ENDPOINT }), platform);
    await tracker.track('e1');
    await expect(tracker.optOut()).rejects.toThrow('neither localStorage nor IndexedDB');
    await tracker.track('e2');
    await time.pass(60_000);
    expect(relay.requests).toEqual([]);

    await tracker.optIn();
    await tracker.track('e3');
    await tracker.flush();
    expect(relay.requests.flatMap(({ records }) => records)).toMatchObject([{ eventName: 'e3' }]);
  });

  test('keeps data of another relay', async () => {
    const { open, map } = fakeBrowser();
    const others = [`${NAME}.evil`, `${NAME}/eu#session`, 'theirs'];
    for (const key of others) map.set(key, '1');
    await open().tracker.optOut();

    expect([...map.keys()].sort()).toEqual([MARK, ...others].sort());
  });

  test('is not recognized by an unfinished opt-out if another tab opts in', async () => {
    const relay = scriptedRelay(offline, never);
    const { open, map, disk, sent } = fakeBrowser({ relay });
    const [one, other] = [open(), open()];
    await one.tracker.identify('johndoe');
    await one.tracker.flush();
    await one.tracker.track('e1');
    one.hide();
    disk.hold();
    void one.tracker.optOut();
    await one.crash();
    disk.release();
    expect(await disk.buffered()).toHaveLength(2);
    const before = sent().length;

    await other.tracker.optIn();
    await other.tracker.track('e2');
    await other.tracker.flush();

    expect(sent().slice(before)).toEqual([['e2']]);
    expect(relay.requests.at(-1)?.records[0]).not.toHaveProperty('userId');
    expect(new Set(devices(relay)).size).toBe(2);
    expect(map.get(NAME)).not.toContain('johndoe');
  });

  test('and in by another tab keeps that tab’s records, even during the opt-out', async () => {
    let answer = (_: Response) => {};
    const relay = scriptedRelay(() => new Promise((resolve) => (answer = resolve)), offline);
    const { open, buffered } = fakeBrowser({ relay });
    const [one, other, busy] = [open(), open(), open()];
    await busy.tracker.track('e1');
    void busy.tracker.flush();
    await quiet();
    const out = one.tracker.optOut();
    const made = other.tracker.optIn().then(() => other.tracker.track('e2'));
    await quiet();
    answer(new Response('', { status: 503 }));
    await Promise.all([out, made]);
    await quiet();

    expect(await buffered()).toEqual(['e2']);
  });

  test('and in by a tab that did not wait keeps that tab’s records', async () => {
    let answer = (_: Response) => {};
    const relay = scriptedRelay(() => new Promise((resolve) => (answer = resolve)), offline, offline);
    const { open, map, buffered } = fakeBrowser({ relay });
    const [one, other, busy] = [open(), open(), open()];
    await busy.tracker.track('e1');
    void busy.tracker.flush();
    await quiet();
    const out = one.tracker.optOut();
    await quiet();
    map.set(MARK, '2');
    await other.tracker.track('e2');
    answer(new Response('', { status: 503 }));
    await out;

    expect(await buffered()).toContain('e2');
    expect(map.get(MARK)).toBe('2');
    expect(map.has(NAME)).toBe(true);
  });

  test('and in by two tabs at once keeps the records of the first', async () => {
    let answer = (_: Response) => {};
    const relay = scriptedRelay(() => new Promise((resolve) => (answer = resolve)), offline, offline);
    const { open, map, buffered } = fakeBrowser({ relay });
    const [one, other, busy] = [open(), open(), open()];
    await busy.tracker.track('e1');
    void busy.tracker.flush();
    await quiet();
    map.set(MARK, '1');
    const second = other.tracker.optIn();
    await quiet();
    map.set(MARK, '2');
    await one.tracker.track('e2');
    answer(new Response('', { status: 503 }));
    await second;

    expect(await buffered()).toContain('e2');
    expect(map.get(MARK)).toBe('2');
  });

  test('in a browser without localStorage is out on all pages, through the mark in the database', async () => {
    const { open, disk, sent } = fakeBrowser({ relay: scriptedRelay(offline) });
    const full = () => ({ pageStorage: { ...fakePageStorage(), set: () => false } });
    const [one, worker] = [open({}, full()), open({}, full())];
    await one.tracker.identify('johndoe');
    await worker.tracker.optOut();
    const next = open({}, full());
    for (const { tracker } of [one, next]) {
      await tracker.track('e1');
      await tracker.flush();
      await tracker.track('e2');
    }

    expect(await disk.buffered()).toEqual([]);
    expect(sent()).toEqual([]);
    await worker.tracker.optIn();
    await worker.tracker.track('e3');
    await worker.tracker.flush();
    expect(sent().flat()).toContain('e3');
  });

  test('whose localStorage is cleared is out as soon as the database answers, and no record of that page is kept', async () => {
    const { open, map, disk, sent } = fakeBrowser();
    const { tracker, crash } = open();
    await tracker.track('e1');
    await tracker.optOut();
    await crash();
    map.clear();
    disk.hold();
    const next = open();
    const events: TrackerEvents['dropped'][] = [];
    next.tracker.on('dropped', (what) => events.push(what));
    const early = next.tracker.track('e2');
    void next.tracker.identify('johndoe');
    await quiet();
    next.hide();
    expect([...map.keys()]).not.toEqual([]);
    disk.release();
    for (let n = 0; n < 9; n++) await Promise.resolve().then(disk.answerOne);
    await early;
    await quiet();

    expect([...map]).toEqual([[MARK, '1']]);
    expect(await disk.buffered()).toEqual([]);
    expect(events).toEqual([{ ids: [expect.any(String), expect.any(String)], reason: 'opted_out' }]);
    await next.tracker.track('e3');
    expect(sent()).toEqual([]);
  });

  test('on a page that knew of no earlier opt-out is out, even after two choices', async () => {
    const { open, map, disk } = fakeBrowser();
    const first = open();
    await first.tracker.track('e1');
    await first.tracker.optOut();
    await first.tracker.optIn();
    await first.crash();
    map.clear();
    const { tracker } = open();
    await tracker.optOut();
    await tracker.track('e2');

    expect(map.get(MARK)).toBe('3');
    expect(await disk.buffered()).toEqual([]);
    expect(await disk.state.get('visitor')).toEqual({ choices: 3, changes: expect.any(Number) });
  });

  test('before the database has answered, and opts in at once, is not followed by earlier calls', async () => {
    const { open, disk, buffered } = fakeBrowser({ relay: scriptedRelay(offline) });
    disk.hold();
    const { tracker } = open();
    const events: TrackerEvents['dropped'][] = [];
    tracker.on('dropped', (what) => events.push(what));
    const early = tracker.track('e1');
    const out = tracker.optOut();
    const back = tracker.optIn();
    const late = tracker.track('e2');
    disk.release();
    await Promise.all([early, out, back, late]);

    expect(await buffered()).toEqual(['e2']);
    expect(events).toEqual([{ ids: [expect.stringMatching(/\.1$/)], reason: 'opted_out' }]);
  });

  test('with a hanging database is out: the promise settles, and the mark is in localStorage', async () => {
    const map = new Map<string, string>();
    const hung = async () => () => new Promise<never>(() => {});
    const { platform, time, relay } = fakePlatform({ pageStorage: fakePageStorage(map) });
    const timeout: Timeout = (promise, afterMs) =>
      new Promise((resolve, reject) => {
        time.timer(() => reject(new Error('hung')), afterMs);
        promise.then(resolve, reject);
      });
    const removed: string[] = [];
    const tracker = startTracker(resolveOptions({ endpoint: ENDPOINT }), {
      ...platform,
      store: (_, report) => recordStore(openDatabase(hung, timeout, report)),
      removeStore: async (name) => removed.push(name),
    });
    const early = tracker.track('e1');
    const out = tracker.optOut();
    await time.pass(10_000);
    await Promise.all([early, out]);
    await tracker.track('e2');
    await time.pass(60_000);

    expect([...map]).toEqual([[MARK, '1']]);
    expect(removed).toEqual([NAME]);
    expect(relay.requests).toEqual([]);
  });

  test('ends a flush that waits for an identity token', async () => {
    let signIn = (_: string) => {};
    let isOut = false;
    let looks = 0;
    const { open, map } = fakeBrowser();
    const kept = fakePageStorage(map);
    // One that goes round for ever would leave no test that could fail.
    const pageStorage = {
      ...kept,
      get: (key: string) => {
        if (isOut && ++looks > 5_000) throw new Error('looks for ever');
        return kept.get(key);
      },
    };
    const identityToken = () => new Promise<string>((resolve) => (signIn = resolve));
    const { tracker } = open({ plugins: [identityTokens(identityToken)] }, { pageStorage });
    await tracker.identify('johndoe');
    const flushed = tracker.flush();
    await quiet();
    isOut = true;
    const out = tracker.optOut();
    signIn(jwt({ cuid: 'johndoe' }));

    expect(await flushed).toEqual({ settled: true });
    await out;
  });

  test('in, and out again at once is out, and in again at once is in', async () => {
    const { open, map, sent } = fakeBrowser();
    const { tracker } = open();
    await Promise.all([tracker.optOut(), tracker.optIn(), tracker.optOut()]);
    await tracker.track('e1');
    await tracker.flush();
    expect(map.get(MARK)).toBe('3');

    await Promise.all([tracker.optIn(), tracker.optOut()]);
    expect([...map]).toEqual([[MARK, '5']]);

    await Promise.all([tracker.optIn(), tracker.optIn()]);
    await tracker.track('e2');
    await tracker.flush();
    expect(map.get(MARK)).toBe('6');
    expect(sent()).toEqual([['e2']]);
  });

  test('stays out even if another tab stores its visitor at that moment', async () => {
    const { open, map } = fakeBrowser();
    const { tracker } = open();
    await tracker.identify('johndoe');
    const written = map.get(NAME) ?? '';
    const out = tracker.optOut();
    map.set(NAME, written);
    await out;
    map.set(NAME, written);
    await open().tracker.track('e1');
    await quiet();

    expect([...map]).toEqual([[MARK, '1']]);
  });

  test('makes room for its mark in a full store', async () => {
    const map = new Map([[`${NAME}#left`, '[]']]);
    const { open } = fakeBrowser();
    const { tracker } = open({}, { pageStorage: fakePageStorage(map, () => map.has(`${NAME}#left`)) });
    const out = tracker.optOut();
    expect(map.get(MARK)).toBe('1');
    await out;

    expect([...map]).toEqual([[MARK, '1']]);
  });

  test('hears no more from a relay that does not answer', async () => {
    const { open, time } = fakeBrowser({ relay: scriptedRelay(never) });
    const { tracker } = open();
    const events: unknown[] = [];
    await tracker.track('e1');
    const flushed = tracker.flush();
    await quiet();
    const out = tracker.optOut();
    await time.pass(16_000);
    await out;
    tracker.on('retrying', (what) => events.push(what));
    await time.pass(3_600_000);

    expect(await flushed).toMatchObject({});
    expect(events).toEqual([]);
  });
});
