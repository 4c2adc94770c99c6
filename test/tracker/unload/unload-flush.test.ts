import { describe, expect, test } from 'vitest';
import type { TrackerRecord } from '../../../src/contract/record.ts';
import { fakeBrowser, nameOf, names, quiet } from '../../fakes/browser/browser.ts';
import { accepted, fakeTime, scriptedRelay } from '../../fakes/platform.ts';

const offline = () => new TypeError('Failed to fetch');
const busy = (status: number) => () => new Response('', { status, headers: { 'Retry-After': '60' } });
const never = () => new Promise<Response>(() => {});

const bytesOf = (text: unknown) => new TextEncoder().encode(String(text)).length;

describe('a page that is left', () => {
  test('sends all its records in one request, oldest first, of at most 60,000 bytes', async () => {
    const { open, relay, sent } = fakeBrowser();
    const page = open({ batchSize: 25, maxWaitMs: 3_600_000 });
    // Held by a flush that waits for its lock: nothing has left when the page is hidden.
    await quiet();
    for (const name of names(1, 200)) void page.tracker.track(name, { text: 'x'.repeat(100) });
    page.hide();

    const [request] = relay.requests;
    expect(relay.requests).toHaveLength(1);
    expect(sent().flat()).toEqual(names(1, sent().flat().length));
    expect(bytesOf(request?.init.body)).toBeLessThanOrEqual(60_000);
    // And it leaves little room unused but what a token takes.
    expect(bytesOf(request?.init.body)).toBeGreaterThan(50_000);
    expect(request?.init.keepalive).toBe(true);
  });

  test.each(['é', '漢', '😀', '"'])('counts %s in real bytes', async (character) => {
    const { open, relay } = fakeBrowser();
    const page = open();
    await quiet();
    for (const name of names(1, 60))
      void page.tracker.track(name, { a: character.repeat(450), b: character.repeat(450) });
    page.hide();

    const bytes = relay.requests.reduce((all, { init }) => all + bytesOf(init.body), 0);
    expect(bytes).toBeLessThanOrEqual(60_000);
    expect(bytes).toBeGreaterThan(40_000);
  });

  test('repeats records in flight together with later ones, which otherwise could overtake them', async () => {
    const { open, sent } = fakeBrowser({ relay: scriptedRelay(never) });
    const page = open();
    await page.tracker.track('e1');
    void page.tracker.flush();
    await quiet();
    await page.tracker.track('e2');

    page.hide();

    expect(sent()).toEqual([['e1'], ['e1', 'e2']]);
  });

  test('sends all its records, even if a flush has read only the first of them', async () => {
    const { open, sent } = fakeBrowser({ relay: scriptedRelay(never) });
    const page = open();
    await quiet();
    for (const name of names(1, 30)) void page.tracker.track(name);
    await quiet();

    page.hide();

    expect(sent()).toEqual([names(1, 25), names(1, 30)]);
  });

  test('leaves room for requests in flight', async () => {
    const { open, relay, sent } = fakeBrowser({ relay: scriptedRelay(never) });
    const page = open();
    const large = { text: 'x'.repeat(999), more: 'x'.repeat(999) };
    await quiet();
    for (const name of names(1, 20)) void page.tracker.track(name, large);
    page.hide();
    const underWay = sent().flat().length;
    for (const name of names(21, 60)) void page.tracker.track(name, large);

    page.hide();

    const bytes = relay.requests.reduce((all, { init }) => all + bytesOf(init.body), 0);
    expect(underWay).toBe(20);
    expect(bytes).toBeLessThanOrEqual(60_000);
  });

  test('sends more once the requests in flight have been answered', async () => {
    const { open, sent } = fakeBrowser();
    const page = open();
    await quiet();
    const large = { text: 'x'.repeat(999), more: 'x'.repeat(999) };
    for (const name of names(1, 40)) void page.tracker.track(name, large);
    page.hide();
    const first = sent().flat().length;
    await quiet();

    page.hide();

    expect(sent().flat().slice(0, first)).toEqual(names(1, first));
    expect(sent().flat()).toEqual(names(1, sent().flat().length));
    expect(sent().flat().length).toBeGreaterThan(first);
  });

  test('sends each record once, however often the event repeats', async () => {
    const { open, sent, disk } = fakeBrowser({ relay: scriptedRelay(never) });
    const page = open();
    await quiet();
    disk.hold();
    void page.tracker.track('e1');

    page.hide();
    page.hide();
    disk.release();
    await quiet();
    page.hide();

    expect(sent()).toEqual([['e1']]);
  });

  test('sends and spills records that a later listener of the page tracks', async () => {
    const { open, disk, sent, spilled } = fakeBrowser({ relay: scriptedRelay(never, never) });
    const page = open();
    await quiet();
    disk.hold();
    void page.tracker.track('e1');

    page.hide();
    void page.tracker.track('e2');
    await quiet();

    expect(sent()).toEqual([['e1'], ['e1', 'e2']]);
    expect(spilled()).toEqual(['e1', 'e2']);
  });

  test('spills them and sends nothing before the database has answered, because the device is unknown', async () => {
    const { open, disk, sent, spilled } = fakeBrowser();
    disk.hold();
    const page = open();
    void page.tracker.track('e1');

    page.hide();
    void page.tracker.track('e2');
    await quiet();

    expect(sent()).toEqual([]);
    expect(spilled()).toEqual(['e1', 'e2']);
  });

  test('and comes back goes on as usual: later records wait for others', async () => {
    const { open, sent, time } = fakeBrowser();
    const page = open();
    await quiet();
    page.hide();
    await time.pass(1);
    page.show();
    await time.pass(1);
    await page.tracker.track('e1');
    await quiet();

    expect(sent()).toEqual([]);
    await time.pass(5_000);
    expect(sent()).toEqual([['e1']]);
  });

  test('removes what it sent if it lives on, and trusts nothing if it does not', async () => {
    const { open, buffered, sent, time } = fakeBrowser();
    const first = open();
    await first.tracker.track('e1');
    first.hide();
    await first.crash();
    const left = await buffered();

    const second = open();
    await second.tracker.flush();
    await quiet();
    await second.tracker.track('e2');
    second.hide();
    await time.pass(10_000);

    expect(left).toEqual(['e1']);
    expect(sent()).toEqual([['e1'], ['e1'], ['e2']]);
    expect(await buffered()).toEqual([]);
  });
});

describe('a page that closes its own window', () => {
  test('spills and sends the calls of that task at once, because it may end before it learns that it is hidden', async () => {
    const { open, disk, sent, spilled } = fakeBrowser({ relay: scriptedRelay(never) });
    const page = open();
    await quiet();
    disk.hold();

    for (const name of names(1, 3)) void page.tracker.track(name);
    page.closeWindow();
    await quiet();
    await page.crash();

    expect(sent()).toEqual([names(1, 3)]);
    expect(spilled()).toEqual(names(1, 3));
  });

  test('sends each record once if it learns that it is hidden', async () => {
    const { open, sent, spilled } = fakeBrowser({ relay: scriptedRelay(never) });
    const page = open();
    await quiet();

    void page.tracker.track('e1');
    page.closeWindow();
    await quiet();
    page.hide();
    page.hide();

    expect(sent()).toEqual([['e1']]);
    expect(spilled()).toEqual([]);
  });
});

describe('no record of the page leaves', () => {
  test('while older records of earlier pages are unknown to it', async () => {
    const { open, sent, time } = fakeBrowser({ relay: scriptedRelay(...Array(99).fill(offline)) });
    const first = open();
    for (const name of names(1, 40)) void first.tracker.track(name);
    await quiet();
    await first.crash();
    await time.pass(600_000);
    const before = sent().length;

    // It has looked at the first 25; the other 15 it has not seen.
    const second = open();
    await quiet();
    await second.tracker.track('own');
    second.hide();

    expect(sent().slice(before).flat()).not.toContain('own');
  });

  test('while it has read only some of them, and its own came before it read', async () => {
    const { open, sent, time } = fakeBrowser({ relay: scriptedRelay(...Array(99).fill(offline)) });
    const first = open();
    for (const name of names(1, 40)) void first.tracker.track(name);
    await quiet();
    await first.crash();
    await time.pass(600_000);
    const before = sent().length;

    const second = open();
    void second.tracker.track('own');
    await quiet();
    second.hide();

    expect(sent().slice(before).flat()).not.toContain('own');
  });

  test('that another tab has settled, once a read of the buffer has shown so', async () => {
    const { open, sent } = fakeBrowser();
    const [one, other] = [open(), open()];
    await one.tracker.track('e1');
    await other.tracker.flush();
    await one.tracker.flush();

    one.hide();

    expect(sent()).toEqual([['e1']]);
    expect(one.net.armed()).toEqual([]);
  });

  test('that was reported as dropped', async () => {
    const { open, sent } = fakeBrowser({ relay: scriptedRelay(offline) });
    const page = open({ maxRecords: 100 });
    await page.tracker.track('e1');
    await page.tracker.flush();
    for (const name of names(2, 103)) void page.tracker.track(name);
    await quiet();
    const before = sent().length;

    page.hide();

    const left = sent().slice(before).flat();
    expect(left.length).toBeGreaterThan(0);
    expect(left).not.toEqual(expect.arrayContaining(['e1']));
  });

  test('while those are known and do not fit', async () => {
    const { open, sent, disk } = fakeBrowser({ relay: scriptedRelay(offline) });
    const first = open();
    await quiet();
    const large = { text: 'x'.repeat(999), more: 'x'.repeat(999) };
    for (const name of names(1, 24)) void first.tracker.track(name, large);
    await quiet();
    await first.crash();
    disk.hold();
    const second = open();
    for (const name of names(25, 60)) void second.tracker.track(name, large);
    disk.release();
    await quiet();
    const before = sent().length;

    second.hide();

    const left = sent().slice(before).flat();
    expect(left.length).toBeGreaterThan(20);
    expect(left).toEqual(names(1, left.length));
  });

  test('if another tab has settled its records, and has older ones', async () => {
    const { open, sent, time } = fakeBrowser();
    const one = open();
    await one.tracker.track('e1');
    const other = open();
    await other.tracker.flush();
    await other.tracker.track('e2');
    await time.pass(1);

    await one.tracker.track('e3');
    one.hide();

    const order = sent().flat();
    expect(order.includes('e3') ? order : ['e1', 'e2', 'e3']).toContain('e2');
  });

  test('from the spill, if older records are in a database that has not answered yet', async () => {
    const { open, sent, disk } = fakeBrowser({ relay: scriptedRelay(offline, offline) });
    const first = open();
    await first.tracker.track('e1');
    await first.tracker.flush();
    disk.hold();
    void first.tracker.track('e2');
    first.hide();
    // The browser was offline when it was hidden: what it sent is lost.
    await first.crash();

    const before = sent().length;

    open().hide();

    const [left] = sent().slice(before);
    expect(left?.[0]).not.toBe('e2');
  });

  test('after a failed unload request, until the next flush has restored the order', async () => {
    const { open, sent, disk, time } = fakeBrowser({ relay: scriptedRelay(offline) });
    const page = open();
    await quiet();
    // No flush comes between: it would wait for the database.
    disk.hold();
    void page.tracker.track('e1');
    page.hide();
    await quiet();

    void page.tracker.track('e2');
    page.hide();
    await quiet();
    const blocked = sent().length;
    disk.release();
    await time.pass(60_000);
    await page.tracker.track('e3');
    page.hide();

    expect(blocked).toBe(1);
    expect(sent()).toEqual([['e1'], ['e1', 'e2'], ['e3']]);
  });
});

describe('a pause', () => {
  test.each([429, 503])(
    'after %i that another tab received stops this one’s unload request',
    async (status) => {
      const { open, sent, time } = fakeBrowser({ relay: scriptedRelay(busy(status)) });
      const [one, other] = [open(), open()];
      await one.tracker.track('e1');
      await one.tracker.flush();

      await other.tracker.track('e2');
      // It learns of it with its first look.
      await other.tracker.flush();
      other.hide();
      const held = sent().length;
      await time.pass(62_000);
      await other.tracker.track('e3');
      other.hide();

      expect(held).toBe(1);
      expect(sent().flat()).toContain('e3');
    },
  );

  test('for a missing network stops none, because it may be back', async () => {
    const { open, sent } = fakeBrowser({ relay: scriptedRelay(offline) });
    const page = open();
    await page.tracker.track('e1');
    await page.tracker.flush();

    page.hide();

    expect(sent()).toEqual([['e1'], ['e1']]);
  });
});

test('a batch of an unload request that the relay refuses is found and halved: one record is dropped, the rest arrive', async () => {
  const refused = () =>
    Response.json({ error: { code: 'invalid_batch', message: 'the batch is wrong' } }, { status: 400 });
  const judge = (records: readonly { readonly eventName?: string }[]) =>
    records.some(({ eventName }) => eventName === 'e3')
      ? refused()
      : Response.json({ response: { status: 'queued' }, duplicates: 0, rejected: [] }, { status: 202 });
  const { open, time, buffered } = fakeBrowser({ relay: scriptedRelay(...Array(20).fill(judge)) });
  const page = open();
  await quiet();
  for (const name of names(1, 5)) void page.tracker.track(name);

  page.hide();
  page.show();
  await time.pass(120_000);

  expect(await page.tracker.stats()).toMatchObject({ tracked: 5, delivered: 4, rejected: 1, buffered: 0 });
  expect(await buffered()).toEqual([]);
});

test('a record refused in two requests at once is reported once', async () => {
  const refusing = (records: readonly TrackerRecord[]) =>
    accepted(records, {
      rejected: records
        .filter((record) => nameOf(record) === 'e2')
        .map(({ id }) => ({ id, issues: [{ path: 'eventName', message: 'is bad' }] })),
    });
  const time = fakeTime();
  const late = (records: readonly TrackerRecord[]) =>
    new Promise<Response>((resolve) => void time.timer(() => resolve(refusing(records)), 1_000));
  const { open } = fakeBrowser({ relay: scriptedRelay(late, refusing), time });
  const page = open();
  const events: unknown[] = [];
  page.tracker.on('rejected', ({ id }) => events.push(id));
  page.tracker.on('delivered', ({ ids, duplicates }) => events.push([ids.length, duplicates]));
  for (const name of names(1, 3)) void page.tracker.track(name);
  await quiet();
  void page.tracker.flush();
  await quiet();
  await page.tracker.track('e4');
  page.hide();
  await time.pass(30_000);

  expect(events).toEqual([[2, 0], expect.stringMatching(/\.2$/), [1, 0]]);
});
