import { describe, expect, test } from 'vitest';
import type { Call } from '../../../src/tracker/record/call.ts';
import { fakePageStorage, scriptedRelay } from '../../fakes/platform.ts';
import { ENDPOINT, NAME, nameOfCall, names, playedBrowser, quiet } from '../../fakes/played-browser.ts';

const offline = () => new TypeError('Failed to fetch');

/** Sessions of two pages. */
const [ONE, OTHER] = ['A', 'B'].map((letter) => letter.repeat(22)) as [string, string];

describe('a page that is hidden before its records are durable', () => {
  test('keeps them in page storage, under the name and its session', async () => {
    const { open, disk, map, spillKeys } = playedBrowser();
    const page = open();
    await quiet();
    disk.hold();
    void page.tracker.track('e1');
    void page.tracker.track('e2');

    page.hide();

    const [key = ''] = spillKeys();
    const [first, second]: readonly Call[] = JSON.parse(map.get(key) ?? '');
    expect(key).toMatch(/^webengage-relay:https:\/\/t\.example\.com#[\w-]{22}$/);
    expect([first?.id, second?.id]).toEqual([1, 2].map((seq) => `${key.slice(NAME.length + 1)}.${seq}`));
  });

  test('and gets its commit after all takes them out again', async () => {
    const { open, disk, spilled, spillKeys } = playedBrowser();
    const page = open();
    await quiet();
    disk.hold();
    void page.tracker.track('e1');
    page.hide();
    const whileHidden = spilled();

    disk.release();
    await quiet();

    expect(whileHidden).toEqual(['e1']);
    expect(spillKeys()).toEqual([]);
  });

  test('leaves nothing in page storage but the visitor where all of it is durable', async () => {
    const { open, map } = playedBrowser();
    const page = open();
    await page.tracker.track('e1');

    page.hide();

    expect([...map.keys()]).toEqual([NAME]);
  });
});

describe('what earlier pages left', () => {
  test('goes into the buffer before the records of the next page, in order, and is gone once it is durable', async () => {
    const { open, disk, relay, spilled, spillKeys, buffered } = playedBrowser({
      relay: scriptedRelay(offline),
    });
    const first = open();
    await quiet();
    disk.hold();
    void first.tracker.track('e1');
    void first.tracker.track('e2');
    first.hide();
    await first.crash();

    const second = open();
    void second.tracker.track('e3');
    await quiet();
    const whileHeld = spilled();
    disk.release();
    await quiet();

    // The first one's, and its own.
    expect(whileHeld).toEqual(['e1', 'e2', 'e3']);
    expect(await buffered()).toEqual(['e1', 'e2', 'e3']);
    expect(spillKeys()).toEqual([]);
    expect(relay.requests.length).toBeGreaterThan(0);
  });

  test('is moved in the order it was made, whatever the order of its keys', async () => {
    const { open, disk, time, spillKeys, buffered, map } = playedBrowser({
      relay: scriptedRelay(...Array(9).fill(offline)),
    });
    const [one, other] = [open(), open()];
    await quiet();
    disk.hold();
    void one.tracker.track('e1');
    await time.pass(1_000);
    void other.tracker.track('e2');
    await time.pass(1_000);
    void one.tracker.track('e3');
    other.hide();
    one.hide();
    await Promise.all([one.crash(), other.crash()]);
    disk.release();
    const keys = spillKeys();
    // `localStorage` gives its keys in an order of its own.
    const turned = new Map([...map].reverse());
    map.clear();
    for (const [key, value] of turned) map.set(key, value);

    open();
    await quiet();

    expect(keys).toHaveLength(2);
    expect(await buffered()).toEqual(['e1', 'e2', 'e3']);
  });

  test('keeps the order it was made in though the clock was set back in the meantime', async () => {
    const { open, disk, time, buffered } = playedBrowser({ relay: scriptedRelay(...Array(9).fill(offline)) });
    const page = open();
    await quiet();
    disk.hold();
    void page.tracker.track('e1');
    time.shift(-3_600_000);
    void page.tracker.track('e2');
    page.hide();
    await page.crash();
    disk.release();

    open();
    await quiet();

    expect(await buffered()).toEqual(['e1', 'e2']);
  });

  test('is one record where two pages left the same', async () => {
    const { open, map, buffered } = playedBrowser({ relay: scriptedRelay(offline) });
    const call = { kind: 'event', id: `${ONE}.1`, wall: 1_000, mono: 0, json: '"eventName":"e1"' };
    for (const page of [ONE, OTHER]) map.set(`${NAME}#${page}`, JSON.stringify([call]));

    open();
    await quiet();

    expect(await buffered()).toEqual(['e1']);
  });

  test('waits for the next one again, with its own, where a page is left before the database has answered', async () => {
    const { open, disk, sent, spilled } = playedBrowser();
    const first = open();
    await quiet();
    disk.hold();
    void first.tracker.track('e1');
    first.hide();
    await first.crash();

    const second = open();
    void second.tracker.track('e2');
    second.hide();

    expect(sent()).toEqual([['e1']]);
    expect(new Set(spilled())).toEqual(new Set(['e1', 'e2']));
  });

  test('stands there once for each tracker of the page, however many pages are left before the database answers', async () => {
    const { open, disk, map, spilledCalls, buffered } = playedBrowser({ relay: scriptedRelay(offline) });
    const made: string[] = [];
    // A database may hang until the browser is closed, as WebKit's does where a page is left in its first transaction.
    disk.hold();
    for (let page = 1; page <= 30; page++) {
      // Two trackers, as of a script tag and of a bundle.
      const trackers = [open(), open()];
      await quiet();
      trackers.forEach(({ tracker }, index) => {
        made.push(`e${page}.${index}`);
        void tracker.track(`e${page}.${index}`);
      });
      for (const each of trackers) each.hide();
      for (const each of trackers) await each.crash();
    }
    expect(spilledCalls().length).toBeLessThanOrEqual(2 * made.length);
    expect(new Set(spilledCalls().map(nameOfCall))).toEqual(new Set(made));
    expect([...map.values()].join('').length).toBeLessThan(100_000);

    disk.release();
    open();
    await quiet();

    expect((await buffered()).toSorted()).toEqual(made.toSorted());
  });

  test('by another tab that still lives, and has more by then, is not thrown away with what was moved', async () => {
    const { open, disk, spilled, buffered } = playedBrowser();
    const one = open();
    await quiet();
    disk.hold();
    void one.tracker.track('e1');
    one.hide();

    open();
    void one.tracker.track('e2');
    one.hide();
    // What was under way of the first tab is lost with it; the other tab moves what it found.
    await one.crash();
    disk.release();
    await quiet();

    expect([...spilled(), ...(await buffered())]).toContain('e2');
  });
});

describe('where the database is missing', () => {
  test('all that is unsettled is left when the page is hidden, and the next page delivers it', async () => {
    const { open, spilled, spillKeys, sent, time } = playedBrowser({ relay: scriptedRelay(offline) });
    const first = open({ memory: true });
    await first.tracker.track('e1');
    await first.tracker.track('e2');
    first.hide();
    const left = spilled();
    await first.crash();

    const second = open({ memory: true });
    await second.tracker.flush();
    await time.pass(60_000);

    expect(left).toEqual(['e1', 'e2']);
    expect(sent()).toEqual([
      ['e1', 'e2'],
      ['e1', 'e2'],
    ]);
    expect(spillKeys()).toEqual([]);
  });

  test('what was left is not taken for durable by a next page that is left before its database has answered', async () => {
    const { open, disk, spilled } = playedBrowser({ relay: scriptedRelay(offline, offline) });
    const first = open({ memory: true });
    await first.tracker.track('e1');
    first.hide();
    await first.crash();

    disk.hold();
    const second = open();
    second.hide();
    await second.crash();

    expect(new Set(spilled())).toEqual(new Set(['e1']));
  });

  test('what was left stays in page storage until it is settled', async () => {
    const { open, spilled } = playedBrowser({ relay: scriptedRelay(...Array(9).fill(offline)) });
    const first = open({ memory: true });
    await first.tracker.track('e1');
    first.hide();
    await first.crash();

    await open({ memory: true }).crash();
    const third = open({ memory: true });
    await quiet();
    await third.crash();

    expect(spilled()).toEqual(['e1']);
  });
});

describe('page storage that is', () => {
  test('full keeps the oldest part', async () => {
    const { open, disk, map, spilled } = playedBrowser();
    const storage = fakePageStorage(map);
    const small = {
      ...storage,
      set: (key: string, text: string) => text.length < 3_000 && storage.set(key, text),
    };
    const page = open({}, { pageStorage: small });
    await quiet();
    disk.hold();
    for (const name of names(1, 40)) void page.tracker.track(name);

    page.hide();

    expect(spilled().length).toBeGreaterThan(1);
    expect(spilled()).toEqual(names(1, spilled().length));
  });

  test('too small for a single record costs nothing but the spill', async () => {
    const { open, map, disk, sent } = playedBrowser();
    const page = open({}, { pageStorage: fakePageStorage(map, () => true) });
    await quiet();
    disk.hold();
    void page.tracker.track('e1');

    page.hide();

    expect(sent()).toEqual([['e1']]);
    expect(map.size).toBe(0);
  });

  test('denied hurts nobody', async () => {
    const { open, sent, time } = playedBrowser();
    const denied = { keys: () => [], get: () => undefined, set: () => false, remove: () => {} };
    const page = open({}, { pageStorage: denied });

    await page.tracker.track('e1');
    page.hide();
    page.show();
    await page.tracker.track('e2');
    await time.pass(10_000);

    expect(sent()).toEqual([['e1'], ['e2']]);
  });

  test.each([
    'null',
    '0',
    '"text"',
    '{}',
    '[null]',
    '[1]',
    '[{}]',
    '[{"at":1}]',
    '[{"at":1,"record":null}]',
    'not JSON',
  ])('spoilt, as by %s, hurts nobody, and is gone in the end', async (value) => {
    const { open, map, sent, time, spillKeys } = playedBrowser();
    map.set(`${NAME}#${ONE}`, value);
    const storage = fakePageStorage(map);
    const get = (key: string) => {
      try {
        return storage.get(key);
      } catch {
        return undefined; // As the page's own does.
      }
    };

    const { tracker } = open({}, { pageStorage: { ...storage, get } });
    await tracker.track('e1');
    await time.pass(10_000);

    expect(sent()).toEqual([['e1']]);
    expect(spillKeys()).toEqual([]);
  });
});

test('a tracker for one port takes nothing of one for another on the same host', async () => {
  const { open, map, sent, time } = playedBrowser();
  const other = open({ endpoint: `${ENDPOINT}:8443` });
  await other.tracker.track('theirs');
  other.hide();
  const theirs = map.get(`${NAME}:8443`);

  const { tracker } = open();
  await tracker.track('ours');
  await time.pass(10_000);

  expect(theirs).toBeDefined();
  expect(map.get(`${NAME}:8443`)).toBe(theirs);
  expect(sent().flat()).toContain('ours');
});

test('a thousand calls of the last task are all spilled and, as far as they fit, sent', async () => {
  const { open, disk, spilled, sent } = playedBrowser();
  const page = open();
  await quiet();
  disk.hold();
  for (const name of names(1, 1_000)) void page.tracker.track(name);

  page.hide();

  expect(spilled()).toEqual(names(1, 1_000));
  expect(sent()).toEqual([names(1, sent().flat().length)]);
  expect(sent().flat().length).toBeGreaterThan(100);
});

describe('a call made before the database has answered', () => {
  test('is kept at once, for a browser that is closed as a whole and tells its pages nothing', async () => {
    const { open, disk, spilled, sent } = playedBrowser();
    disk.hold();
    const page = open();
    void page.tracker.track('e1');
    void page.tracker.track('e2');
    await quiet();

    const kept = spilled();
    await page.crash();
    disk.release();
    const next = open();
    await next.tracker.flush();

    expect(kept).toEqual(['e1', 'e2']);
    expect(sent()).toEqual([['e1', 'e2']]);
  });

  test('has one id, kept and written, and is kept no longer once it is written', async () => {
    const { open, disk, relay, map, spillKeys } = playedBrowser();
    disk.hold();
    const { tracker } = open();
    const tracked = tracker.track('e1');
    await quiet();
    const [{ id }] = JSON.parse(map.get(spillKeys()[0] ?? '') ?? '[]');
    disk.release();
    await tracked;
    await tracker.flush();

    expect(relay.requests[0]?.records).toMatchObject([{ id }]);
    expect(spillKeys()).toEqual([]);
  });
});

test('where storage is denied as the page is left, as to a window that closes itself, all that fits is sent', async () => {
  const { open, map, sent } = playedBrowser();
  const storage = fakePageStorage(map);
  let isGone = false;
  const page = open(
    {},
    {
      pageStorage: {
        ...storage,
        get: (key) => (isGone ? undefined : storage.get(key)),
        set: (key, text) => !isGone && storage.set(key, text),
      },
    },
  );
  await page.tracker.track('e1');
  for (const name of names(2, 4)) void page.tracker.track(name);
  isGone = true;

  page.hide();

  expect(sent()).toEqual([names(1, 4)]);
});
