import { describe, expect, test } from 'vitest';
import { fakeBrowser, names, quiet } from '../../fakes/browser/browser.ts';
import { accepted, scriptedRelay } from '../../fakes/platform.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const down = () => Response.json({ error: { code: 'unavailable', message: '' } }, { status: 503 });
const offline = () => new TypeError('Failed to fetch');
const busy = (retryAfter: string) => () =>
  new Response('', { status: 429, headers: { 'Retry-After': retryAfter } });

/** A relay that notes when it was asked, and answers by the clock. */
function relayThat(answer: (now: number) => Response | Error | undefined, clock: () => number) {
  const askedAt: number[] = [];
  const relay = scriptedRelay(
    ...Array.from({ length: 2_000 }, () => (records: readonly unknown[]) => {
      askedAt.push(clock());
      return answer(clock()) ?? accepted(records);
    }),
  );
  return { relay, askedAt };
}

test('10,000 records drain in order, in the time that the allowance gives', { timeout: 60_000 }, async () => {
  const { open, time, sent, relay } = fakeBrowser();
  const page = open({ requestsPerMinute: 60, burst: 5 });
  for (const name of names(1, 10_000)) void page.tracker.track(name);
  await quiet();

  // 400 requests, of which 5 leave at once and one a second after that.
  await time.pass(394_000);
  const early = relay.requests.length;
  await time.pass(1_000);

  expect(early).toBe(399);
  expect(relay.requests).toHaveLength(400);
  expect(sent().flat()).toEqual(names(1, 10_000));
  expect(await page.tracker.stats()).toMatchObject({ delivered: 10_000, buffered: 0 });
});

test('two pages share one allowance', async () => {
  const { open, time, relay } = fakeBrowser();
  const [one, other] = [open({ batchSize: 1 }), open({ batchSize: 1 })];
  for (const name of names(1, 10)) void one.tracker.track(name);
  for (const name of names(11, 20)) void other.tracker.track(name);
  await quiet();

  const atOnce = relay.requests.length;
  await time.pass(14_000);
  const inTime = relay.requests.length;
  await time.pass(2_000);

  expect(atOnce).toBe(5);
  expect(inTime).toBeLessThanOrEqual(19);
  expect(relay.requests).toHaveLength(20);
});

test('a relay that is down for a day is asked less and less often, and then gets everything', {
  timeout: 60_000,
}, async () => {
  let clock = () => 0;
  let backAt = Number.POSITIVE_INFINITY;
  const { relay, askedAt } = relayThat(
    (now) => (now < backAt ? down() : undefined),
    () => clock(),
  );
  const { open, time, sent, buffered } = fakeBrowser({ relay });
  clock = time.now;
  backAt = time.now() + DAY_MS;
  const page = open();

  for (let hour = 0; hour < 24; hour++) {
    for (const name of names(hour * 10 + 1, hour * 10 + 10)) void page.tracker.track(name);
    await time.pass(HOUR_MS);
  }
  const failed = askedAt.filter((at) => at < backAt);
  const waits = failed.slice(1).map((at, index) => at - (failed[index] ?? 0));
  await time.pass(HOUR_MS);

  expect(waits.slice(0, 5).every((wait, index) => wait < (waits[index + 1] ?? 0))).toBe(true);
  expect(Math.max(...waits)).toBeLessThanOrEqual(5 * 60_000);
  expect(Math.min(...waits.slice(10))).toBeGreaterThanOrEqual(2.5 * 60_000);
  expect(sent().slice(failed.length).flat()).toEqual(names(1, 240));
  expect(await buffered()).toEqual([]);
  expect(await page.tracker.stats()).toMatchObject({ tracked: 240, delivered: 240 });
});

test('the delay after failures keeps growing after a reload', async () => {
  const { open, time } = fakeBrowser({ relay: scriptedRelay(...Array(9).fill(offline)) });
  let page = open();
  await page.tracker.track('e1');
  const waits: number[] = [];

  for (let reload = 0; reload < 5; reload++) {
    const end = await page.tracker.flush();
    waits.push('retryInMs' in end ? end.retryInMs : 0);
    await page.crash();
    await time.pass(waits.at(-1) ?? 0);
    page = open();
  }

  expect(waits).toEqual([750, 1_500, 3_000, 6_000, 12_000]);
});

describe('a relay that asks to wait for a minute', () => {
  const inAMinute = () => new Date(Date.parse('2026-11-23T12:01:00Z')).toUTCString();

  test.each([
    ['in seconds', '60'],
    ['as a date', inAMinute()],
  ])('%s is respected by a second page, and after a reload', async (_, retryAfter) => {
    const { open, time, relay } = fakeBrowser({ relay: scriptedRelay(busy(retryAfter)) });
    const [one, other] = [open(), open()];
    await one.tracker.track('e1');
    await one.tracker.flush();

    await other.tracker.track('e2');
    const second = await other.tracker.flush();
    await one.crash();
    const reloaded = open();
    const third = await reloaded.tracker.flush();
    await time.pass(59_999);
    const inTheMinute = relay.requests.length;
    await time.pass(2_000);

    for (const end of [second, third]) expect(end).toMatchObject({ settled: false, reason: 'rate_limited' });
    expect(inTheMinute).toBe(1);
    expect(relay.requests.length).toBeGreaterThan(1);
  });

  test('gets at most one request if all ask at once', async () => {
    const { open, relay } = fakeBrowser({ relay: scriptedRelay(busy('60'), busy('60'), busy('60')) });
    const pages = [open(), open(), open()];
    await Promise.all(pages.map(({ tracker }, index) => tracker.track(`e${index}`)));

    await Promise.all(pages.map(({ tracker }) => tracker.flush()));

    expect(relay.requests).toHaveLength(1);
  });
});

describe('a clock that is set back a year', () => {
  test('sends earlier buffered records at once', async () => {
    const { open, time, sent } = fakeBrowser();
    const first = open();
    await first.tracker.track('e1');
    await first.crash();

    time.shift(-YEAR_MS);
    open();
    await quiet();

    expect(sent()).toEqual([['e1']]);
  });

  test('ends every pause and the lack of an allowance, for the next page', async () => {
    const { open, time, sent } = fakeBrowser({ relay: scriptedRelay(busy('3600')) });
    const page = open({ burst: 1, requestsPerMinute: 1 });
    await page.tracker.track('e1');
    await page.tracker.flush();

    await page.crash();
    time.shift(-YEAR_MS);
    const end = await open({ burst: 1, requestsPerMinute: 1 }).tracker.flush();

    expect(end).toEqual({ settled: true });
    expect(sent()).toEqual([['e1'], ['e1']]);
  });

  test('makes flush report earlier records as not settled', async () => {
    const { open, time } = fakeBrowser({ relay: scriptedRelay(busy('60'), busy('60')) });
    const page = open();
    await page.tracker.track('e1');

    time.shift(-YEAR_MS);

    expect(await page.tracker.flush()).toMatchObject({ settled: false, reason: 'rate_limited' });
  });
});

test.each([1, 5, 25, 40])(
  'a record that the relay never accepts is found at position %i, and the rest arrives',
  async (at) => {
    const refused = () =>
      Response.json({ error: { code: 'invalid_batch', message: 'the batch is wrong' } }, { status: 400 });
    const judge = (records: readonly { readonly eventName?: string }[]) =>
      records.some(({ eventName }) => eventName === `e${at}`) ? refused() : accepted(records);
    const { open, time, relay } = fakeBrowser({ relay: scriptedRelay(...Array(1_000).fill(judge)) });
    const page = open();
    for (const name of names(1, 50)) void page.tracker.track(name);

    await time.pass(600_000);

    expect(await page.tracker.stats()).toMatchObject({
      tracked: 50,
      delivered: 49,
      rejected: 1,
      buffered: 0,
    });
    expect(relay.requests.length).toBeLessThan(40);
  },
);

test('back online, the tracker waits only for a pause that the relay itself asked for', async () => {
  const { open, sent } = fakeBrowser({ relay: scriptedRelay(offline, offline, busy('60')) });
  const [one, other] = [open(), open()];
  await one.tracker.track('e1');
  await one.tracker.flush();

  for (let back = 0; back < 4; back++) {
    other.online();
    await quiet();
  }

  expect(sent()).toEqual([['e1'], ['e1'], ['e1']]);
});
