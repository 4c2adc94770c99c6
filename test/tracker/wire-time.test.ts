import { describe, expect, test } from 'vitest';
import { fakeBrowser, quiet } from '../fakes/browser/browser.ts';
import { dedupingRelay } from '../fakes/deduping-relay.ts';
import { fakeTime } from '../fakes/platform.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A browser whose clock is off by so much, and a relay whose clock is right. */
function browserOff(offMs: number) {
  const time = fakeTime();
  time.shift(offMs);
  const { relay, replies, requests } = dedupingRelay(time);
  const bodies = () => requests.map(({ init }) => JSON.parse(String(init.body)));
  return { ...fakeBrowser({ relay, time }), replies, bodies };
}

/** When the relay takes an event for made: its time by the visitor's clock, put right. */
const madeAt = ({ eventTime }: { eventTime: string }, clockOffset: number) =>
  Date.parse(eventTime.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) - clockOffset;

test('a first request gives its time and no offset, and the next one the offset from its answer', async () => {
  const { open, bodies } = browserOff(2 * HOUR_MS);
  const page = open();
  await page.tracker.track('e1');
  await page.tracker.flush();
  await page.tracker.track('e2');
  await page.tracker.flush();

  const [first, second] = bodies();
  expect(first).toMatchObject({ v: 1, lenient: true, sentAt: '2026-11-23T14:00:00Z' });
  expect(first).not.toHaveProperty('clockOffset');
  expect(second).toMatchObject({ clockOffset: 2 * HOUR_MS });
});

test('the next page knows the offset from its first request on', async () => {
  const { open, bodies } = browserOff(2 * HOUR_MS);
  const first = open();
  await first.tracker.track('e1');
  await first.tracker.flush();
  await first.crash();

  const next = open();
  await next.tracker.track('e2');
  await next.tracker.flush();

  expect(bodies()[1]).toMatchObject({ clockOffset: 2 * HOUR_MS });
});

test('the age of a record is in milliseconds, by a clock that does not jump', async () => {
  const { open, bodies, time } = browserOff(0);
  const page = open();
  void page.tracker.track('e1');
  await time.pass(1_234);
  time.shift(-DAY_MS);
  await page.tracker.flush();

  expect(bodies()[0].records).toMatchObject([{ age: 1_234 }]);
});

describe('an event made while the clock was wrong', () => {
  test.each([
    ['ahead', 2 * HOUR_MS],
    ['behind', -2 * HOUR_MS],
  ])('(%s) and sent by the next page, after a correction, arrives with its true time', async (_, offMs) => {
    const { open, bodies, time, replies } = browserOff(offMs);
    const first = open();
    await first.tracker.track('e1');
    await first.tracker.flush();
    const made = time.now();
    replies.push('offline', 'offline');
    await first.tracker.track('e2');
    await first.crash();

    time.shift(-offMs);
    await time.pass(60_000);
    const next = open();
    await time.pass(60_000);
    await next.tracker.flush();

    const body = bodies().findLast(({ records }) =>
      records.some(({ eventName }: { eventName: string }) => eventName === 'e2'),
    );
    const record = body.records.find(({ eventName }: { eventName: string }) => eventName === 'e2');
    expect(madeAt(record, body.clockOffset)).toBe(made);
  });
});

describe('nothing expires because a clock jumped', () => {
  test('forward, within a page', async () => {
    const { open, sent, time } = browserOff(0);
    const page = open();
    const dropped: unknown[] = [];
    page.tracker.on('dropped', (event) => dropped.push(event));
    await page.tracker.track('e1');

    time.shift(30 * DAY_MS);
    await page.tracker.flush();

    expect(sent()).toEqual([['e1']]);
    expect(dropped).toEqual([]);
  });

  test('forward, between two pages: the next one asks the relay for the time first', async () => {
    const { open, sent, time } = browserOff(0);
    const first = open();
    await first.tracker.track('e1');
    await first.crash();

    time.shift(30 * DAY_MS);
    const next = open();
    await quiet();
    await time.pass(10_000);

    expect(sent()).toEqual([[], ['e1']]);
    expect(await next.tracker.stats()).toMatchObject({ delivered: 1, dropped: { expired: 0 } });
  });

  test('but a record that is too old by the relay’s time expires, with an event, and is not sent', async () => {
    const { open, sent, time } = browserOff(0);
    const first = open();
    await first.tracker.track('e1');
    await first.crash();

    await time.pass(8 * DAY_MS);
    const next = open();
    await quiet();
    await time.pass(10_000);

    expect(sent()).toEqual([[]]);
    expect(await next.tracker.stats()).toMatchObject({ delivered: 0, dropped: { expired: 1 } });
  });
});

test('a relay that does not tell its time is not asked for it forever', async () => {
  const { open, time, relay } = browserOff(0);
  const first = open();
  await first.tracker.track('e1');
  await first.crash();
  time.shift(30 * DAY_MS);
  const mute = { requests: relay.requests, fetch: async () => new Response('<html>', { status: 404 }) };
  let asked = 0;
  Object.assign(relay, {
    fetch: () => {
      asked += 1;
      return mute.fetch();
    },
  });

  open();
  await time.pass(HOUR_MS);

  expect(asked).toBeGreaterThan(1);
  expect(asked).toBeLessThan(40);
});
