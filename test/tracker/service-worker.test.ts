// @vitest-environment node
import { type Browser, type BrowserContext, chromium, type Page, type Worker } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Tracker } from '../../src/tracker/tracker.ts';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import { jwt } from '../fakes/browser/identity.ts';
import { fakeRelay, fakeSite } from '../tracker/places-site.ts';

declare global {
  var tracker: Tracker;
  /** In the service worker: what became of the promises its `sync` events were given. */
  var syncs: Promise<string>[];
}

// A browser is started here, beside the other tests.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const WITHIN = { timeout: 20_000 };

let browser: Browser;
let context: BrowserContext;
let relay: Awaited<ReturnType<typeof fakeRelay>>;
let site: Awaited<ReturnType<typeof fakeSite>>;

const serviceWorker = (endpoint: string) => `
  const { waitUntil } = ExtendableEvent.prototype;
  syncs = [];
  SyncEvent.prototype.waitUntil = function (end) {
    syncs.push(end.then(() => 'settled', ({ message }) => message));
    waitUntil.call(this, end);
  };
  if (location.search === '?broken') IDBFactory.prototype.open = () => { throw new Error('broken'); };
  oninstall = () => skipWaiting();
  onactivate = (event) => event.waitUntil(clients.claim());
  importScripts('/service-worker.js');
  const { consent, identityTokens, syncInBackground } = webengageRelay;
  const plugins = {
    '?tokens': [identityTokens(() => '${jwt({ cuid: 'johndoe', exp: 9e9 })}')],
    '?consent': [consent()],
  }[location.search];
  tracker = syncInBackground({ endpoint: '${endpoint}', plugins });`;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });
});

afterAll(() => browser?.close());

beforeEach(async () => {
  relay = await fakeRelay();
  const page = (maxWaitMs: number) => `<!doctype html><title>A site</title>
    <script src="/tracker.js" data-endpoint="${relay.url}" data-max-wait-ms="${maxWaitMs}" data-background-sync></script>
    <script>tracker = webengageRelay;</script>`;
  site = await fakeSite({
    '/': page(3_600_000),
    '/soon': page(100),
    '/plain': '<!doctype html><title>A page without a tracker</title>',
    '/worker.js': serviceWorker(relay.url),
  });
  context = await browser.newContext();
});

afterEach(async () => {
  await context.close();
  site.stop();
  relay.stop();
});

const ourTag = () => `webengage-relay:${relay.url}`;
const trackThree = (page: Page) =>
  page.evaluate(async () => {
    await Promise.all(['One', 'Two', 'Three'].map((name) => tracker.track(name)));
  });
// Not in TypeScript's DOM, which is not a service worker's.
const tags = (worker: Worker) => worker.evaluate('registration.sync.getTags()');

/** A page of the site, with its service worker at work. */
async function openSite(
  path = '/',
  script = '/worker.js',
): Promise<{ readonly page: Page; readonly worker: Worker }> {
  const page = await context.newPage();
  const started = context.waitForEvent('serviceworker');
  await page.goto(`${site.url}${path}`);
  await page.evaluate(async (url) => {
    await navigator.serviceWorker.register(url);
    await navigator.serviceWorker.ready;
  }, script);
  return { page, worker: await started };
}

/** Fires a `sync` event, as the browser does; resolves with what became of the promise it was given. */
async function fireSync(
  { page, worker }: Awaited<ReturnType<typeof openSite>>,
  tag = ourTag(),
): Promise<string> {
  const session = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations: [first] }) => {
      if (first !== undefined) resolve(first.registrationId);
    });
  });
  await session.send('ServiceWorker.enable');
  const registrationId = await registered;
  const event = { origin: site.url, registrationId, tag, lastChance: false };
  await session.send('ServiceWorker.dispatchSyncEvent', event);
  await expect.poll(() => worker.evaluate(() => syncs.length), WITHIN).toBeGreaterThan(0);
  return worker.evaluate(async () => (await syncs.shift()) ?? 'never');
}

test.each([
  ['a page that could not send', '/soon', () => {}],
  ['a page that is being left', '/', () => dispatchEvent(new PageTransitionEvent('pagehide'))],
])(
  'events that %s has tracked offline are sent once when the network is back, with no page open',
  async (...way) => {
    const [, path, leave] = way;
    const { page, worker } = await openSite(path);
    await context.setOffline(true);
    await trackThree(page);
    await page.evaluate(leave);
    await expect.poll(() => tags(worker), WITHIN).toEqual([ourTag()]);
    await page.close();
    expect(relay.batches).toEqual([]);

    await context.setOffline(false);
    await expect.poll(() => worker.evaluate(() => syncs.length), WITHIN).toBeGreaterThan(0);

    expect(await worker.evaluate(() => syncs[0])).toBe('settled');
    expect(context.pages()).toEqual([]);
    expect(relay.names()).toEqual(['One', 'Two', 'Three']);
    expect(await worker.evaluate(() => tracker.stats())).toMatchObject({ buffered: 0, delivered: 3 });
  },
);

test('a page and the service worker that send at once send no record twice', async () => {
  const opened = await openSite();
  const { page, worker } = opened;
  const names = Array.from({ length: 60 }, (_, n) => `Event ${n}`);
  const release = relay.hold();
  await page.evaluate((all) => Promise.all(all.map((name) => tracker.track(name))), names);
  await expect.poll(() => relay.batches.length, WITHIN).toBe(1);

  const fired = fireSync(opened);
  const waiting = async () => (await navigator.locks.query()).pending?.map(({ name }) => name);
  await expect.poll(() => worker.evaluate(waiting), WITHIN).toContain(ourTag());
  expect(relay.batches).toHaveLength(1);
  release();

  expect(await fired).toBe('settled');
  expect(await page.evaluate(() => tracker.flush())).toEqual({ settled: true });
  expect(relay.names()).toEqual(names);
});

test('a failing flush in the service worker rejects the sync event, so that the browser retries', async () => {
  const opened = await openSite();
  relay.answer(503);
  await trackThree(opened.page);

  expect(await fireSync(opened)).toBe('Records will be retried: unavailable');

  relay.answer(202);
  await expect.poll(() => fireSync(opened), WITHIN).toBe('settled');
  expect(await opened.worker.evaluate(() => tracker.stats())).toMatchObject({ buffered: 0, delivered: 3 });
});

test('a service worker that can’t open the database does not report that all is sent', async () => {
  const opened = await openSite('/', '/worker.js?broken');
  await trackThree(opened.page);

  expect(await fireSync(opened)).toBe('The database of waiting records does not open');
  expect(relay.batches).toEqual([]);
});

test('a service worker tracks and sends nothing of a visitor who has opted out on a page', async () => {
  const opened = await openSite();
  const { page, worker } = opened;
  await trackThree(page);
  expect(await fireSync(opened)).toBe('settled');
  // The worker knows the visitor by now, and hears nothing of the choice.
  await page.evaluate(() => tracker.optOut());

  await worker.evaluate(() => tracker.track('Four'));
  expect(await fireSync(opened)).toBe('settled');
  await worker.evaluate(() => dispatchEvent(new Event('online')));
  await worker.evaluate(() => tracker.track('Five'));

  expect(await worker.evaluate(() => tracker.flush())).toEqual({ settled: true });
  expect(await worker.evaluate(() => tracker.stats())).toMatchObject({ tracked: 0, buffered: 0 });
  expect(relay.names()).toEqual(['One', 'Two', 'Three']);
});

test('an opt-out in a service worker holds on the pages', async () => {
  const { page, worker } = await openSite();
  await trackThree(page);
  await worker.evaluate(() => tracker.optOut());
  await page.evaluate(() => tracker.track('Four'));
  await page.evaluate(() => tracker.flush());

  expect(relay.names()).toEqual([]);
  expect(await page.evaluate(() => tracker.stats())).toMatchObject({ tracked: 0 });
});

test('a service worker creates no database, neither at its start nor in a sync event', async () => {
  const opened = await openSite('/plain');
  const databases = () => opened.page.evaluate(async () => (await indexedDB.databases()).length);

  expect(await databases()).toBe(0);
  expect(await fireSync(opened)).toBe('settled');
  expect(await databases()).toBe(0);

  await opened.worker.evaluate(() => tracker.track('One'));
  expect(await databases()).toBe(1);
});

test('a service worker with pending consent sends what pages have stored, and its own calls wait', async () => {
  const opened = await openSite('/', '/worker.js?consent');
  await trackThree(opened.page);
  await opened.worker.evaluate(() => void tracker.track('Four'));
  expect(await fireSync(opened)).toBe('settled');
  expect(relay.names()).toEqual(['One', 'Two', 'Three']);

  await opened.worker.evaluate(() => tracker.optIn());
  await opened.worker.evaluate(() => tracker.flush());
  expect(relay.names()).toEqual(['One', 'Two', 'Three', 'Four']);
});

test('a service worker requests identity tokens as a page does', async () => {
  const opened = await openSite('/', '/worker.js?tokens');
  await opened.page.evaluate(() => tracker.identify('johndoe'));
  await trackThree(opened.page);

  expect(await fireSync(opened)).toBe('settled');

  expect(relay.batches.map(({ token }) => token)).toEqual([jwt({ cuid: 'johndoe', exp: 9e9 })]);
});

test('a sync event of the site’s own is left to the site', async () => {
  const opened = await openSite();
  await opened.worker.evaluate(() =>
    addEventListener('sync', () => syncs.push(Promise.resolve('the site’s'))),
  );
  await trackThree(opened.page);

  expect(await fireSync(opened, 'outbox')).toBe('the site’s');
  expect(relay.batches).toEqual([]);
});
