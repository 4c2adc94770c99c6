import { describe, expect, test } from 'vitest';
import type { Call } from '../../../src/tracker/record/call.ts';
import { ENDPOINT, fakeBrowser, NAME, nameOfCall, names, quiet } from '../../fakes/browser/browser.ts';
import { fakePageStorage, scriptedRelay } from '../../fakes/platform.ts';

const offline = () => new TypeError('Failed to fetch');

/** Sessions of two pages. */
const [ONE, OTHER] = ['A', 'B'].map((letter) => letter.repeat(22)) as [string, string];

describe('a page hidden before its records are durable', () => {
  test('keeps them in localStorage, under its session', async () => {
    const { open, disk, map, spillKeys } = fakeBrowser();
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

  test('removes them when its commit succeeds after all', async () => {
    const { open, disk, spilled, spillKeys } = fakeBrowser();
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

  test('leaves only the visitor in localStorage if all records are durable', async () => {
    const { open, map } = fakeBrowser();
    const page = open();
    await page.tracker.track('e1');

    page.hide();

    expect([...map.keys()]).toEqual([NAME]);
  });
});

describe('spilled calls of earlier pages', () => {
  test('enter the buffer in order before the next page’s records, and are removed once durable', async () => {
    const { open, disk, relay, spilled, spillKeys, buffered } = fakeBrowser({
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

  test('are moved in the order of their calls, whatever the order of their keys', async () => {
    const { open, disk, time, spillKeys, buffered, map } = fakeBrowser({
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

  test('keep their order even if the clock was set back in the meantime', async () => {
    const { open, disk, time, buffered } = fakeBrowser({ relay: scriptedRelay(...Array(9).fill(offline)) });
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

  test('become one record if two pages spilled the same', async () => {
    const { open, map, buffered } = fakeBrowser({ relay: scriptedRelay(offline) });
    const call = { kind: 'event', id: `${ONE}.1`, wall: 1_000, mono: 0, json: '"eventName":"e1"' };
    for (const page of [ONE, OTHER]) map.set(`${NAME}#${page}`, JSON.stringify([call]));

    open();
    await quiet();

    expect(await buffered()).toEqual(['e1']);
  });

  test('wait with the new ones for the page after next if a page is left before the database has answered', async () => {
    const { open, disk, sent, spilled } = fakeBrowser();
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

  test('are stored once for each tracker of the page, even if many pages unload before the database answers', async () => {
    const { open, disk, map, spilledCalls, buffered } = fakeBrowser({ relay: scriptedRelay(offline) });
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

  test('of another living tab, which has more by then, are not deleted with the moved ones', async () => {
    const { open, disk, spilled, buffered } = fakeBrowser();
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

describe('without a database', () => {
  test('all unsettled calls are spilled when the page is hidden, and the next page delivers them', async () => {
    const { open, spilled, spillKeys, sent, time } = fakeBrowser({ relay: scriptedRelay(offline) });
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

  test('spilled calls do not count as durable on a next page that is left before its database has answered', async () => {
    const { open, disk, spilled } = fakeBrowser({ relay: scriptedRelay(offline, offline) });
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

  test('spilled calls stay in localStorage until they are settled', async () => {
    const { open, spilled } = fakeBrowser({ relay: scriptedRelay(...Array(9).fill(offline)) });
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

describe('a localStorage that is', () => {
  test('full keeps the oldest part', async () => {
    const { open, disk, map, spilled } = fakeBrowser();
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
    const { open, map, disk, sent } = fakeBrowser();
    const page = open({}, { pageStorage: fakePageStorage(map, () => true) });
    await quiet();
    disk.hold();
    void page.tracker.track('e1');

    page.hide();

    expect(sent()).toEqual([['e1']]);
    expect(map.size).toBe(0);
  });

  test('denied harms nothing', async () => {
    const { open, sent, time } = fakeBrowser();
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
  ])('broken by %s harms nothing, and is cleaned up in the end', async (value) => {
    const { open, map, sent, time, spillKeys } = fakeBrowser();
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

test('a tracker for one port does not touch another port’s data on the same host', async () => {
  const { open, map, sent, time } = fakeBrowser();
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

test('a thousand calls of the last task are all spilled and sent as far as they fit', async () => {
  const { open, disk, spilled, sent } = fakeBrowser();
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
  test('is kept at once, for a browser that closes without telling its pages', async () => {
    const { open, disk, spilled, sent } = fakeBrowser();
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

  test('has one id, spilled and stored, and is not kept longer once it is stored', async () => {
    const { open, disk, relay, map, spillKeys } = fakeBrowser();
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

test('with storage denied as the page is left, as in a window that closes itself, all that fits is sent', async () => {
  const { open, map, sent } = fakeBrowser();
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
