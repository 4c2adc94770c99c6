import { describe, expect, test } from 'vitest';
import { fakeBrowser, names, quiet } from '../fakes/browser/browser.ts';
import { accepted, fakeTime, scriptedRelay } from '../fakes/platform.ts';
import { storedEntry } from '../fakes/records.ts';

const HOUR_MS = 3_600_000;
const offline = () => new TypeError('Failed to fetch');
const never = () => new Promise<Response>(() => {});

describe('a Retry-After of a year', () => {
  test.each([
    ['in seconds', () => `${365 * 86_400}`],
    ['as a date', (now: number) => new Date(now + 365 * 86_400_000).toUTCString()],
    [
      'as a date, read by a clock that is a year behind',
      (now: number) => new Date(now).toUTCString(),
      -365 * 86_400_000,
    ],
  ])('%s lasts an hour and little more, in all tabs', async (_, header, offMs = 0) => {
    const time = fakeTime();
    time.shift(offMs);
    const busy = () => new Response('', { status: 429, headers: { 'Retry-After': header(time.now()) } });
    const { open, relay } = fakeBrowser({ relay: scriptedRelay(busy), time });
    const [one, other] = [open(), open()];
    await one.tracker.track('e1');
    await one.tracker.flush();
    await other.tracker.track('e2');
    const meanwhile = await other.tracker.flush();

    await time.pass(HOUR_MS - 1);
    const inTheHour = relay.requests.length;
    await time.pass(60_000);

    expect(meanwhile).toMatchObject({ settled: false, reason: 'rate_limited' });
    expect(inTheHour).toBe(1);
    expect(relay.requests.length).toBeGreaterThan(1);
  });
});

test('only unload requests use keepalive, whose budget the page itself may have used up', async () => {
  const { open, relay, time } = fakeBrowser({ relay: scriptedRelay(offline) });
  const page = open();
  await page.tracker.track('e1');
  await time.pass(60_000);
  await page.tracker.track('e2');
  page.hide();

  expect(relay.requests.map(({ init }) => init.keepalive)).toEqual([false, false, true]);
});

describe('an unloading page', () => {
  test('stays so until it is visible again, however slow its listeners: events of theirs are sent', async () => {
    const { open, time, sent } = fakeBrowser();
    const page = open();
    await quiet();
    page.hide();
    // Another script's listener holds it up.
    await time.pass(5_000);

    for (const name of names(1, 5)) void page.tracker.track(name);
    await quiet();

    expect(sent()).toEqual([names(1, 5)]);
  });

  test('that stays hidden respects the allowance, and sends everything in the end', async () => {
    const { open, time, relay, sent } = fakeBrowser();
    const page = open({ requestsPerMinute: 10, burst: 3 });
    await quiet();
    page.hide();

    for (let second = 0; second < 120; second++) {
      await page.tracker.track(`e${second + 1}`);
      await time.pass(1_000);
    }

    const whileHidden = relay.requests.length;
    await time.pass(HOUR_MS);
    // Those of the flush, and one as it is hidden.
    expect(whileHidden).toBeLessThanOrEqual(3 + 20 + 1);
    expect(sent().flat()).toEqual(names(1, 120));
  });

  test('without new records sends nothing more, even if the event repeats', async () => {
    const { open, relay } = fakeBrowser({ relay: scriptedRelay(never) });
    const page = open();
    await page.tracker.track('e1');

    for (let n = 0; n < 20; n++) page.hide();

    expect(relay.requests).toHaveLength(1);
  });
});

describe('tabs that share a lock', () => {
  test('send nothing twice, even if one of them is hidden and goes on', async () => {
    const { open, time, sent } = fakeBrowser();
    const [hidden, shown] = [open(), open()];
    await quiet();
    hidden.hide();
    await time.pass(2_000);

    for (let n = 1; n <= 30; n++) {
      void hidden.tracker.track(`hidden ${n}`);
      void shown.tracker.track(`shown ${n}`);
      await time.pass(300);
    }
    await time.pass(HOUR_MS);

    const all = Array.from({ length: 30 }, (_, n) => [`hidden ${n + 1}`, `shown ${n + 1}`]).flat();
    expect(sent().flat().toSorted()).toEqual(all.toSorted());
  });

  test('wait for each other with a slow relay, and nothing is sent twice', async () => {
    const time = fakeTime();
    const slow = (records: readonly unknown[]) =>
      new Promise<Response>((resolve) => void time.timer(() => resolve(accepted(records)), 14_000));
    const { open, sent } = fakeBrowser({ relay: scriptedRelay(...Array(20).fill(slow)), time });
    const tabs = Array.from({ length: 6 }, () => open());
    await Promise.all(tabs.map(({ tracker }, index) => tracker.track(`e${index}`)));

    const all = Promise.all(tabs.map(({ tracker }) => tracker.flush()));
    await time.pass(120_000);

    expect(await all).toEqual(Array(6).fill({ settled: true }));
    expect(sent().flat().sort()).toEqual(Array.from({ length: 6 }, (_, index) => `e${index}`));
  });
});

test('130,000 buffered records do not block a page', { timeout: 60_000 }, async () => {
  const { open, disk, sent } = fakeBrowser();
  await disk.state.append((kept) => ({
    visitor: { ...kept, device: 'd', anonymousId: 'a', changes: 1 },
    entries: Array.from({ length: 130_000 }, (_, n) => storedEntry(n + 1, { at: fakeTime().wall() })),
    clears: false,
  }));

  const page = open({ maxRecords: 1_000_000 });
  await page.tracker.track('e1');
  page.hide();
  await quiet();

  expect(sent()[0]).toHaveLength(25);
  expect(page.reported).toEqual([]);
  expect(await page.tracker.stats()).toMatchObject({ tracked: 130_001 });
});
