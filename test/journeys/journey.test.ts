import { readFile } from 'node:fs/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Tracker } from '../../src/tracker/tracker.ts';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import { ADDED_TO_CART, eventRecord, idOf, JOHN } from '../fakes/records.ts';
import { eventsReceived } from './received.ts';
import { type Stack, startStack } from './stack.ts';

declare global {
  var webengageRelay: Tracker;
}

let stack: Stack;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  [stack, browser] = await Promise.all([
    startStack(),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

beforeEach(async () => {
  await stack.order({ fault: 'none' });
  await stack.empty();
  context = await browser.newContext();
});

afterEach(async () => {
  await context.close();
});

async function openSite(of: BrowserContext = context, query = ''): Promise<Page> {
  const page = await of.newPage();
  await page.goto(`${stack.siteUrl}/${query}`, { waitUntil: 'load' });
  return page;
}

function trackMany(page: Page, count: number, from = 1): Promise<void> {
  return page.evaluate(
    async ([first, last]) => {
      const calls = [];
      for (let n = first; n <= last; n++) calls.push(webengageRelay.track('Clicked', { n }));
      await Promise.all(calls);
    },
    [from, from + count - 1] as const,
  );
}

const numbers = (events: Awaited<ReturnType<typeof eventsReceived>>) =>
  events.map(({ eventData }) => eventData?.n);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Everything the page sends and gets. */
function listenTo(page: Page): { readonly traffic: () => Promise<string> } {
  const heard: Promise<string>[] = [];
  page.on('request', (request) =>
    heard.push(
      request.allHeaders().then((headers) => JSON.stringify([headers, request.url(), request.postData()])),
    ),
  );
  page.on('response', (response) =>
    heard.push(
      Promise.all([response.allHeaders(), response.text()]).then((answer) => JSON.stringify(answer)),
    ),
  );
  return { traffic: async () => (await Promise.all(heard)).join('\n') };
}

test('1 identify and 60 tracks in one task arrive once, identify first, in at most 1 + 3 calls, without the key', async () => {
  const page = await context.newPage();
  const { traffic } = listenTo(page);
  await page.goto(stack.siteUrl, { waitUntil: 'load' });

  await page.evaluate(async () => {
    const calls = [
      webengageRelay.identify('johndoe', { email: 'j@example.com', attributes: { plan: 'Premium' } }),
    ];
    for (let n = 1; n <= 60; n++) calls.push(webengageRelay.track('Clicked', { n }));
    await Promise.all(calls);
  });
  const events = await eventsReceived(stack, 60);

  const { users } = await stack.received();
  expect(users).toEqual([{ userId: 'johndoe', email: 'j@example.com', attributes: { plan: 'Premium' } }]);
  expect(numbers(events)).toEqual(upTo(60));
  expect(new Set(events.map(({ userId }) => userId))).toEqual(new Set(['johndoe']));

  const calls = await stack.calls();
  expect(calls[0]?.path).toBe('bulk-users');
  expect(calls.length).toBeLessThanOrEqual(1 + 3);
  expect(calls.every(({ status, requestId }) => status === 200 && /^[\da-f]{8,128}$/.test(requestId))).toBe(
    true,
  );

  const heard = await traffic();
  expect(heard).toContain('duplicates');
  expect(heard).not.toContain(stack.apiKey);
  expect(await readFile('dist/tracker.js', 'utf8')).not.toMatch(/bearer|authorization/i);
});

test('40 visitors with 5 events each arrive in at most 8 + 2 calls, not 40', async () => {
  const visitors: BrowserContext[] = [];
  const pages: Awaited<ReturnType<typeof openSite>>[] = [];
  // One after the other: forty browsers that start at once are more than two cores bear.
  for (let n = 0; n < 40; n++) {
    const visitor = await browser.newContext();
    visitors.push(visitor);
    pages.push(await openSite(visitor));
  }

  await Promise.all(pages.map((page) => trackMany(page, 5)));
  // All at once, as a minute of a busy site is: each page by itself would flush a second after its first call.
  await Promise.all(pages.map((page) => page.evaluate(() => webengageRelay.flush())));
  const events = await eventsReceived(stack, 200);

  expect(events).toHaveLength(200);
  expect(new Set(events.map(({ anonymousId }) => anonymousId)).size).toBe(40);
  expect((await stack.calls()).length).toBeLessThanOrEqual(8 + 2);
  for (const visitor of visitors) await visitor.close();
}, 240_000);

test('the documented examples pass through unchanged', async () => {
  const page = await openSite();
  await page.evaluate(async (john) => {
    const { userId, ...profile } = JSON.parse(john);
    await webengageRelay.identify(userId, profile);
    await webengageRelay.flush();
  }, JSON.stringify(JOHN));

  await fetch(`${stack.relayUrl}/v1/batch`, {
    method: 'POST',
    headers: { Origin: stack.siteUrl },
    body: JSON.stringify({
      v: 1,
      sentAt: new Date().toISOString(),
      device: crypto.randomUUID(),
      records: [eventRecord(1, { id: idOf(1) })],
    }),
  });
  const events = await eventsReceived(stack, 1);

  expect(events).toEqual([ADDED_TO_CART]);
  expect((await stack.received()).users).toEqual([JOHN]);
});

test('calls made before the script has loaded are made in order when it has', async () => {
  await openSite(context, '?stub');

  const [event] = await eventsReceived(stack, 1);

  expect(event).toMatchObject({ eventName: 'Early', userId: 'early-bird' });
  expect((await stack.received()).users).toEqual([{ userId: 'early-bird' }]);
});

test('middleware queued before the script has loaded sees the calls queued after it', async () => {
  await openSite(context, '?steps');

  const events = await eventsReceived(stack, 2);

  expect(events.map(({ eventName, eventData }) => [eventName, eventData?.Store])).toEqual([
    ['Before the step', undefined],
    ['After the step', 'Berlin'],
  ]);
});

test('a reference to the stub from before the script has loaded works as the tracker', async () => {
  const page = await openSite(context, '?hold');

  await page.evaluate(async () => {
    const { held, track } = globalThis as unknown as { held: Tracker; track: Tracker['track'] };
    await held.track('By the stub');
    await track('By its method');
  });

  const events = await eventsReceived(stack, 2);
  expect(events.map(({ eventName }) => eventName)).toEqual(['By the stub', 'By its method']);
});

test('a fault of one attribute or field costs only that, and is reported', async () => {
  const page = await openSite();
  const reported = await page.evaluate(async () => {
    const reported = { repairs: [] as string[], refusals: [] as string[] };
    webengageRelay.on('repaired', ({ path, done }) => reported.repairs.push(`${path} ${done}`));
    webengageRelay.on('rejected', ({ issues }) =>
      reported.refusals.push(...issues.map(({ path, message }) => `${path} ${message}`)),
    );
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const numbers = Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`n${n}`, n]));
    await webengageRelay.track('Clicked', {
      ...numbers,
      'Invalid date': new Date('never'),
      Function: () => 1,
      NaN: Number.NaN,
      Circle: { circle },
      Long: 'x'.repeat(1_000),
      we_reserved: 'x',
    });
    const bad = [
      webengageRelay.track(''),
      webengageRelay.track('e'.repeat(50)),
      webengageRelay.track('we_x'),
      webengageRelay.identify('u'.repeat(101)),
      webengageRelay.identify('u', { phone: '0049 89 1234' }),
    ];
    const calls = (await Promise.allSettled(bad)).map((end) =>
      end.status === 'rejected' ? String(end.reason.message) : 'taken',
    );
    await webengageRelay.flush();
    return { ...reported, calls };
  });
  const [event] = await eventsReceived(stack, 1);

  expect(reported).toEqual({
    repairs: [
      // What the page can't send,
      'eventData.Invalid date left_out',
      'eventData.Function left_out',
      'eventData.NaN left_out',
      'eventData.Circle.circle.self left_out',
      'eventData.Long cut',
      // and what the relay does not take.
      'eventData.n25 left_out',
      'eventData.we_reserved left_out',
      'phone left_out',
    ],
    refusals: [
      'eventName must be well-formed text of 1 to 49 characters',
      'eventName must not start with we_',
    ],
    calls: [
      'eventName must be text of 1 to 999 characters',
      'taken',
      'taken',
      'userId must be text of 1 to 100 characters',
      'taken',
    ],
  });
  expect(event?.eventData).toEqual({
    ...Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`n${n}`, n])),
    Circle: { circle: {} },
    Long: 'x'.repeat(999),
  });
});

test('a page stays in the back/forward cache, with waiting records or without', async () => {
  // Playwright turns the cache off; and a page that a debugger has looked into is not kept either.
  const cached = await chromium.launch({
    executablePath: chromiumPath(),
    args: LAUNCH_ARGS,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
  const page = await (await cached.newContext()).newPage();
  const wasKept = async (track: boolean) => {
    await page.goto(stack.siteUrl, { waitUntil: 'load' });
    await page.evaluate(async (isTracked) => {
      Object.assign(globalThis, { kept: false });
      addEventListener('pageshow', ({ persisted }) => Object.assign(globalThis, { kept: persisted }));
      await webengageRelay.track('Clicked');
      await webengageRelay.flush();
      if (isTracked) await webengageRelay.track('Clicked');
    }, track);
    await page.goto(`${stack.siteUrl}/?next`, { waitUntil: 'load' });
    await page.evaluate(() => webengageRelay.track('Clicked on the next page'));
    await page.evaluate(() => history.back());
    await expect.poll(() => page.evaluate(() => location.search)).toBe('');
    return page.evaluate(() => Reflect.get(globalThis, 'kept'));
  };

  expect(await wasKept(false)).toBe(true);
  expect(await wasKept(true)).toBe(true);
  await cached.close();
});

test('two tabs of one visitor send each record once, each in its own order', async () => {
  const [one, other] = [await openSite(), await openSite()];

  await Promise.all([trackMany(one, 40), trackMany(other, 40, 101)]);
  await Promise.all([one, other].map((page) => page.evaluate(() => webengageRelay.flush())));
  const sent = numbers(await eventsReceived(stack, 80));

  expect(sent.filter((n) => Number(n) <= 100)).toEqual(upTo(40));
  expect(sent.filter((n) => Number(n) > 100)).toEqual(upTo(40).map((n) => n + 100));
});

describe('faults', () => {
  test('a page left 300 ms after track while the relay is down loses nothing, and it arrives once after a reopen', async () => {
    const page = await openSite();
    await trackMany(page, 1);
    await eventsReceived(stack, 1);
    await stack.stopRelay();

    await page.evaluate(() => void webengageRelay.track('Clicked', { n: 2 }));
    await page.waitForTimeout(300);
    await page.goto('about:blank');
    await page.close();
    await stack.startRelay();
    await openSite();

    expect(numbers(await eventsReceived(stack, 2))).toEqual([1, 2]);
  });

  test('WebEngage is down for a while, and everything arrives once', async () => {
    const page = await openSite();
    await stack.order({ fault: 'down' });

    await trackMany(page, 60);
    await expect
      .poll(async () => (await stack.calls()).length, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(2);
    expect((await stack.received()).events).toEqual([]);
    await stack.order({ fault: 'none' });

    expect(numbers(await eventsReceived(stack, 60))).toEqual(upTo(60));
  });

  test('WebEngage accepts a batch and its answer is lost: it is sent again under the same id and arrives once', async () => {
    const page = await openSite();
    await stack.order({ fault: 'cut' });

    await trackMany(page, 25);
    await expect
      .poll(async () => (await stack.calls()).length, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(2);
    await stack.order({ fault: 'none' });
    await expect.poll(async () => (await stack.calls()).at(-1)?.status, { timeout: 20_000 }).toBe(200);

    expect(numbers(await eventsReceived(stack, 25))).toEqual(upTo(25));
    expect(new Set((await stack.calls()).map(({ requestId }) => requestId)).size).toBe(1);
  });

  test('the relay is killed with accepted records in its outbox, and they arrive once when it is back', async () => {
    const page = await openSite();
    await stack.order({ fault: 'down' });
    await trackMany(page, 30);
    expect(await page.evaluate(() => webengageRelay.flush())).toEqual({ settled: true });

    await stack.stopRelay();
    await stack.order({ fault: 'none' });
    await stack.startRelay();

    expect(numbers(await eventsReceived(stack, 30))).toEqual(upTo(30));
  });
});
