import { describe, expect, test } from 'vitest';
import { fakeBrowser, NAME, nameOf, names, quiet } from '../../fakes/browser/browser.ts';
import { dedupingRelay } from '../../fakes/deduping-relay.ts';
import { fakePageStorage, fakeTime, scriptedRelay } from '../../fakes/platform.ts';

/** A browser that gives its database up where it fails, and a relay that takes each record once. */
function browser() {
  const time = fakeTime();
  const { relay, arrived, replies } = dedupingRelay(time);
  const fake = fakeBrowser({ relay, time, hasFallback: true });
  /** What has arrived, and whose it is. */
  const owners = () =>
    [...arrived.values()].map(({ record }) => `${nameOf(record)} of ${record.userId ?? 'nobody'}`);
  const devices = () => new Set([...arrived.values()].map(({ device }) => device));
  const anonymousIds = () => new Set([...arrived.values()].map(({ record }) => record.anonymousId));
  return { ...fake, replies, owners, devices, anonymousIds };
}

describe('a page that goes on at once while the database is slow', () => {
  test('delivers its event once after `localStorage.clear()`, as the visitor’s', async () => {
    const { open, disk, map, owners, devices, time } = browser();
    const first = open();
    await first.tracker.identify('ada');
    await first.tracker.flush();
    map.clear();
    disk.hold();
    void first.tracker.track('left');
    first.hide();
    await first.crash();

    const next = open();
    await time.pass(150);
    disk.release();
    await next.tracker.flush();

    expect(owners()).toEqual(['identify ada of ada', 'left of ada']);
    expect(devices().size).toBe(1);
  });

  test('delivers its event as the new user’s with a full `localStorage`, even if the id is longer', async () => {
    const { open, map, owners } = browser();
    let isFull = false;
    const pageStorage = fakePageStorage(map, () => isFull);
    const first = open({}, { pageStorage });
    await first.tracker.identify('al');
    isFull = true;
    await first.tracker.identify('somebody-with-a-much-longer-id');
    void first.tracker.track('left');
    first.hide();
    await first.crash();

    await open({}, { pageStorage }).tracker.flush();

    expect(owners().at(-1)).toBe('left of somebody-with-a-much-longer-id');
  });
});

test.each(['hidden', 'shown'])(
  '`reset()` in the last task of a page that is %s holds for the next person',
  async (state) => {
    const { open, disk, owners } = browser();
    const first = open();
    await first.tracker.identify('ada');
    if (state === 'hidden') first.hide();
    disk.hold();
    first.tracker.reset();
    await Promise.resolve();
    if (state === 'shown') first.hide();
    await first.crash();
    disk.release();

    const next = open();
    await next.tracker.track('e1');
    await next.tracker.flush();

    expect(owners()).toContain('e1 of nobody');
  },
);

test('a worker tracks the visitor whom the page has just set', async () => {
  const { open, owners } = browser();
  const [page, worker] = [open(), open({ worker: true })];
  await page.tracker.identify('alice');
  await worker.tracker.track('e1');

  page.tracker.reset();
  await page.tracker.identify('bob');
  await worker.tracker.track('e2');
  await worker.tracker.flush();

  expect(owners()).toEqual(expect.arrayContaining(['e1 of alice', 'e2 of bob']));
});

test('two tabs know of each other’s sign-in and sign-out with the next call', async () => {
  const { open, owners } = browser();
  const [one, other] = [open(), open()];
  await one.tracker.identify('johndoe');
  await other.tracker.track('e1');
  other.tracker.reset();
  await other.tracker.track('e2');
  await one.tracker.track('e3');
  await one.tracker.flush();

  expect(owners()).toEqual(expect.arrayContaining(['e1 of johndoe', 'e2 of nobody', 'e3 of nobody']));
});

describe('an opt-out', () => {
  test('stops a worker that tracks, and survives `localStorage.clear()` and a reload', async () => {
    const { open, map, disk, sent } = browser();
    const [page, worker] = [open(), open({ worker: true })];
    await worker.tracker.track('e1');
    await page.tracker.optOut();
    const before = sent().length;

    await worker.tracker.track('e2');
    await worker.tracker.flush();
    map.clear();
    await page.crash();
    const next = open();
    await next.tracker.track('e3');
    await next.tracker.flush();
    await next.tracker.track('e4');

    expect(sent().length).toBe(before);
    expect(await disk.buffered()).toEqual([]);
  });

  test('that a page has no time to finish is finished by the next one, even if `localStorage` was cleared', async () => {
    const { open, map, disk } = browser();
    const page = open();
    await page.tracker.track('e1');
    map.clear();
    void page.tracker.optOut();
    await page.crash();

    open();
    await quiet();

    expect(await disk.buffered()).toEqual([]);
    expect([...map.keys()]).toEqual([`${NAME}?choices`]);
  });

  test('is kept if there is room only for the mark', async () => {
    const { open, map } = browser();
    const storage = fakePageStorage(map);
    const roomFor = (count: number) => ({
      ...storage,
      set: (key: string, text: string) => (map.has(key) || map.size < count) && storage.set(key, text),
    });
    const page = open({ memory: true }, { pageStorage: roomFor(1) });
    await page.tracker.track('e1');

    await page.tracker.optOut();

    expect(map.get(`${NAME}?choices`)).toBe('1');
  });

  test('rejects if the browser stores it nowhere', async () => {
    const { open } = browser();
    const nowhere = fakePageStorage(new Map(), () => true);
    const page = open({ memory: true }, { pageStorage: nowhere });
    await page.tracker.track('e1');

    await expect(page.tracker.optOut()).rejects.toThrow('neither localStorage nor IndexedDB');
  });

  test('followed by an opt-in of another tab lets this one track, and send nothing from before', async () => {
    const { open, owners, time, sent } = browser();
    const [one, other] = [open(), open()];
    await one.tracker.track('before');
    await other.tracker.optOut();
    await other.tracker.optIn();

    await one.tracker.track('after');
    one.hide();
    await time.pass(10_000);

    expect(owners()).toEqual(['after of nobody']);
    expect(sent().flat()).not.toContain('before');
  });
});

describe('a failing database', () => {
  test.each([
    ['before it has written', ['before', 'before']],
    ['after it has written', ['after', 'after']],
    ['once, after it has written', ['after']],
  ] as const)('%s makes no second device of the browser, and doubles nothing', async (_, failures) => {
    const { open, disk, owners, devices, map } = browser();
    const page = open();
    await page.tracker.track('e1');
    await page.tracker.flush();
    map.clear();
    disk.fail(...failures);
    await page.tracker.track('e2');
    page.hide();
    await quiet();
    await page.crash();

    const next = open();
    await next.tracker.track('e3');
    await next.tracker.flush();

    expect(owners()).toEqual(names(1, 3).map((name) => `${name} of nobody`));
    expect(devices().size).toBe(1);
  });

  test('at the very first read makes no second device either, even if the abandoned write succeeds later', async () => {
    const { open, disk, time, owners, devices } = browser();
    disk.hold();
    const page = open();
    void page.tracker.track('e1');
    // It is given up, and so is the next connection; memory serves.
    await time.pass(5_000);
    disk.release();
    await page.tracker.flush();
    await page.crash();

    const next = open();
    await next.tracker.track('e2');
    await next.tracker.flush();

    expect(owners()).toEqual(['e1 of nobody', 'e2 of nobody']);
    expect(devices().size).toBe(1);
  });

  test('keeps the page’s sign-in and sign-out for the next page', async () => {
    const { open, disk, owners, anonymousIds, replies } = browser();
    const page = open();
    await page.tracker.identify('ada');
    disk.fail('before', 'before');
    await page.tracker.track('e1');
    page.tracker.reset();
    replies.push('offline');
    await page.tracker.track('e2');
    await page.tracker.identify('bob');
    page.hide();
    await page.crash();

    const next = open();
    await next.tracker.track('e3');
    await next.tracker.flush();

    expect(owners().sort()).toEqual(
      ['e1 of ada', 'e2 of nobody', 'e3 of bob', 'identify ada of ada', 'identify bob of bob'].sort(),
    );
    expect(anonymousIds().size).toBe(2);
  });
});

test.each(['null', '0', '{}', '{"device":1}', '"text"', 'not JSON'])(
  'a broken hint in localStorage, such as %s, harms nothing',
  async (hint) => {
    const { open, map, owners } = browser();
    map.set(NAME, hint);

    const { tracker } = open();
    await tracker.track('e1');
    await tracker.flush();

    expect(owners()).toEqual(['e1 of nobody']);
  },
);

describe('the reported state of a visitor', () => {
  test('does not count if the page died before its record was stored', async () => {
    const { open, disk, owners } = browser();
    const first = open();
    await quiet();
    disk.hold();
    void first.tracker.identify('johndoe', { email: 'john@doe.com' });
    await first.crash();
    disk.release();

    const second = open();
    await second.tracker.identify('johndoe', { email: 'john@doe.com' });
    await second.tracker.flush();

    expect(owners()).toEqual(['identify johndoe of johndoe']);
  });

  test('no longer counts once a record of it was refused, in any tab', async () => {
    const refuse = scriptedRelay((records) =>
      Response.json(
        { response: { status: 'queued' }, rejected: records.map(({ id }) => ({ id, issues: [] })) },
        { status: 202 },
      ),
    );
    const { open, relay } = fakeBrowser({ relay: refuse });
    const one = open();
    await one.tracker.identify('johndoe', { email: 'john@doe.com' });
    await one.tracker.flush();
    await quiet();

    const other = open();
    await other.tracker.identify('johndoe', { email: 'john@doe.com' });
    await other.tracker.flush();

    expect(relay.requests).toHaveLength(2);
  });
});
