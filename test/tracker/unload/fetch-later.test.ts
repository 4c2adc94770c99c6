import { describe, expect, test } from 'vitest';
import type { TrackerRecord } from '../../../src/contract/record.ts';
import { fakeBrowser, nameOf, names, quiet } from '../../fakes/browser/browser.ts';
import { accepted, scriptedRelay } from '../../fakes/platform.ts';

const armedIn = (page: { readonly net: { readonly armed: () => readonly (readonly TrackerRecord[])[] } }) =>
  page.net.armed().map((records) => records.map(nameOf));

/** A relay that answers its first request when it is told to. */
function heldRelay() {
  const { promise, resolve } = Promise.withResolvers<Response>();
  return { exchange: scriptedRelay(() => promise), answer: resolve };
}

// Longer than it rests between one change and the next.
const A_MOMENT_MS = 250;

describe('the deferred request of a page', () => {
  test('contains the unsettled records, and is replaced after each call', async () => {
    const { open, time } = fakeBrowser();
    const page = open();
    await time.pass(A_MOMENT_MS);
    const before = armedIn(page);
    await page.tracker.track('e1');
    await time.pass(A_MOMENT_MS);
    const afterOne = armedIn(page);
    await page.tracker.track('e2');
    await time.pass(A_MOMENT_MS);

    expect([before, afterOne, armedIn(page)]).toEqual([[], [['e1']], [['e1', 'e2']]]);
  });

  test('contains the first record as soon as its promise resolves, even right after the page has loaded', async () => {
    const { open } = fakeBrowser();
    const page = open();
    // The database has answered, and there was nothing to send.
    await page.tracker.stats();
    await quiet();

    await page.tracker.track('e1');

    expect(armedIn(page)).toEqual([['e1']]);
  });

  test('is absent once all records are settled', async () => {
    const { open, time } = fakeBrowser();
    const page = open();
    await page.tracker.track('e1');

    await page.tracker.flush();
    await time.pass(A_MOMENT_MS);

    expect(armedIn(page)).toEqual([]);
  });

  test('is cut into batches of at most 25', async () => {
    const { open, time } = fakeBrowser();
    const page = open({ maxWaitMs: 3_600_000 });
    // Asked to wait, so that they stay.
    for (const name of names(1, 24)) void page.tracker.track(name);
    await quiet();
    await time.pass(A_MOMENT_MS);

    expect(armedIn(page)).toEqual([names(1, 24)]);
  });

  test('contains records in flight if there are more, because otherwise the rest would overtake them', async () => {
    const relay = heldRelay();
    const { open, time } = fakeBrowser({ relay: relay.exchange });
    const page = open();
    await page.tracker.track('e1');
    void page.tracker.flush();
    await quiet();

    await page.tracker.track('e2');
    await time.pass(A_MOMENT_MS);
    const withMore = armedIn(page);
    relay.answer(accepted([{}]));
    await time.pass(A_MOMENT_MS);

    expect(withMore).toEqual([['e1', 'e2']]);
    expect(armedIn(page)).toEqual([]);
  });

  test('contains nothing that the unload request has sent, and nothing after a failed one', async () => {
    const { open } = fakeBrowser({ relay: scriptedRelay(() => new TypeError('offline')) });
    const page = open();
    await page.tracker.track('e1');

    page.hide();
    const sent = armedIn(page);
    await quiet();
    await page.tracker.track('e2');
    await quiet();

    expect(sent).toEqual([]);
    expect(armedIn(page)).toEqual([]);
  });

  test('is absent during the relay’s pause', async () => {
    const busy = () => new Response('', { status: 503, headers: { 'Retry-After': '60' } });
    const { open, time } = fakeBrowser({ relay: scriptedRelay(busy) });
    const page = open();
    await page.tracker.track('e1');
    await page.tracker.flush();
    await page.tracker.track('e2');
    await time.pass(A_MOMENT_MS);

    expect(armedIn(page)).toEqual([]);
  });

  test('is withdrawn as soon as the relay asks for a pause, even right after it was renewed', async () => {
    const relay = heldRelay();
    const { open } = fakeBrowser({ relay: relay.exchange });
    const page = open();
    await page.tracker.track('e1');
    void page.tracker.flush();
    await quiet();
    const before = armedIn(page);

    relay.answer(new Response('', { status: 429, headers: { 'Retry-After': '60' } }));
    await quiet();

    expect(before).toEqual([['e1']]);
    expect(armedIn(page)).toEqual([]);
  });

  test('is withdrawn as soon as the page learns of a pause that another tab was asked for', async () => {
    const busy = () => new Response('', { status: 503, headers: { 'Retry-After': '60' } });
    const { open } = fakeBrowser({ relay: scriptedRelay(busy) });
    const [one, other] = [open(), open()];
    await other.tracker.track('e1');
    await one.tracker.flush();
    const before = armedIn(other);

    await other.tracker.flush();

    expect(before).toEqual([['e1']]);
    expect(armedIn(other)).toEqual([]);
  });

  test('stays when the network has failed, because it may be back', async () => {
    const { open } = fakeBrowser({ relay: scriptedRelay(() => new TypeError('offline')) });
    const page = open();
    await page.tracker.track('e1');

    await page.tracker.flush();

    expect(armedIn(page)).toEqual([['e1']]);
  });

  test('gives no send time, because that is unknown', async () => {
    const bodies: unknown[] = [];
    const { open, time } = fakeBrowser();
    const page = open(
      {},
      { fetchLater: (_, { body }: RequestInit) => void bodies.push(JSON.parse(String(body))) },
    );

    await page.tracker.track('e1');
    await time.pass(A_MOMENT_MS);

    expect(bodies.at(-1)).toMatchObject({ v: 1, records: [{ eventName: 'e1', age: expect.any(Number) }] });
    expect(bodies.at(-1)).not.toHaveProperty('sentAt');
  });
});

test('a browser that refuses a deferred request harms nothing', async () => {
  const { open, sent } = fakeBrowser();
  const page = open(
    {},
    {
      fetchLater: () => {
        throw new DOMException('quota', 'QuotaExceededError');
      },
    },
  );

  await page.tracker.track('e1');
  await page.tracker.flush();
  await page.tracker.track('e2');
  page.hide();
  await quiet();

  expect(sent()).toEqual([['e1'], ['e2']]);
  expect(page.reported).toEqual([]);
});

test('a browser without fetchLater is asked for nothing', async () => {
  const { open, sent } = fakeBrowser();
  const page = open({}, { fetchLater: null });

  await page.tracker.track('e1');
  page.hide();
  await quiet();

  expect(sent()).toEqual([['e1']]);
});

test('a page with constant tracking replaces it a few times a second, and includes the last change', async () => {
  const { open, time } = fakeBrowser();
  let asked = 0;
  const page = open({}, { fetchLater: () => asked++ });
  await time.pass(A_MOMENT_MS);

  for (let n = 1; n <= 20; n++) {
    await page.tracker.track(`e${n}`);
    await time.pass(10);
  }
  await time.pass(A_MOMENT_MS);

  expect(asked).toBeGreaterThanOrEqual(1);
  expect(asked).toBeLessThan(6);
});
