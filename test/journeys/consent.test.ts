import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import { README_STUB } from '../readme-stub.ts';
import { moduleAt, moduleTag } from '../samples/modules.ts';
import { sample } from '../samples/samples.ts';
import { eventsReceived } from './received.ts';
import { serveSite } from './site.ts';
import { type Stack, startStack } from './stack.ts';

// The recipes of docs/consent.md as they stand, by a visitor who has not chosen yet, says yes, says no, changes their
// mind, and comes back.

/** OneTrust as its documents have it: groups in an event at each load and change, and whether the banner was closed. */
const ONETRUST = `
  const choice = () => localStorage.getItem('onetrust');
  globalThis.OneTrust = { IsAlertBoxClosed: () => choice() !== null };
  function update() {
    const groups = ['C0001', ...(choice() === 'yes' ? ['C0004'] : [])];
    globalThis.OnetrustActiveGroups = ',' + groups.join() + ',';
    dispatchEvent(new CustomEvent('OneTrustGroupsUpdated', { detail: groups }));
  }
  globalThis.choose = (yes) => { localStorage.setItem('onetrust', yes ? 'yes' : 'no'); update(); };
  update();`;

/** Cookiebot as its documents have it: one of two events at a choice, and at each load after it. */
const COOKIEBOT = `
  const choice = () => localStorage.getItem('cookiebot');
  globalThis.Cookiebot = { consent: { marketing: false }, hasResponse: false };
  function update() {
    if (choice() === null) return;
    Object.assign(Cookiebot, { consent: { marketing: choice() === 'yes' }, hasResponse: true });
    dispatchEvent(new Event(choice() === 'no' ? 'CookiebotOnDecline' : 'CookiebotOnAccept'));
  }
  globalThis.choose = (yes) => { localStorage.setItem('cookiebot', yes ? 'yes' : 'no'); update(); };
  globalThis.acceptOthersOnly = () => { localStorage.setItem('cookiebot', 'others'); update(); };
  update();`;

const script = (code: string) => `<script>{${code}}</script>`;
const PAGE_HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>';
const TAG = sample('docs/consent.md html').text;

const byTag = (manager: string, recipe: string) => ({
  'the manager first': PAGE_HEAD + README_STUB + script(manager) + script(recipe) + TAG,
  'the recipe first': PAGE_HEAD + README_STUB + TAG + script(recipe) + script(manager),
});

const onetrust = byTag(ONETRUST, sample('docs/consent.md#onetrust js').text);
const cookiebot = byTag(COOKIEBOT, sample('docs/consent.md#cookiebot js').text);
const cookieConsent = `${PAGE_HEAD}<body>${moduleTag(sample('docs/consent.md#cookieconsent ts').text)}
  <script type="module">
    import * as CookieConsent from 'vanilla-cookieconsent';
    globalThis.webengageRelay = tracker;
    globalThis.choose = (yes) => CookieConsent.acceptCategory(yes ? 'all' : []);
  </script>`;

let stack: Stack;
let browser: Browser;
let context: BrowserContext;
let site: Awaited<ReturnType<typeof serveSite>>;
let html = '';

beforeAll(async () => {
  site = await serveSite((path) => (path === '/' ? { type: 'text/html', body: html } : moduleAt(path)));
  [stack, browser] = await Promise.all([
    startStack({ allowedOrigins: '*', lingerMs: 100 }),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  site?.stop();
});

beforeEach(async () => {
  await stack.empty();
  context = await browser.newContext();
  // CookieConsent shows itself to nobody that says it is automated.
  await context.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false }),
  );
});

afterEach(() => context.close());

const ready = 'globalThis.webengageRelay && !!webengageRelay.createTracker || !!globalThis.tracker';

async function open(body: string): Promise<Page> {
  html = body.replaceAll('https://t.example.com', stack.relayUrl);
  const page = await context.newPage();
  await page.goto(site.url, { waitUntil: 'load' });
  await page.waitForFunction(ready);
  return page;
}

const track = (page: Page, name: string) => page.evaluate(`void webengageRelay.track('${name}')`);
const choose = (page: Page, yes: boolean) => page.evaluate(`choose(${yes})`);
const flush = (page: Page) => page.evaluate('webengageRelay.flush()');

/** What the tracker keeps in this browser, by name. */
const kept = (page: Page) =>
  page.evaluate(async () => [
    ...Object.keys(localStorage).filter((key) => key.startsWith('webengage-relay')),
    ...(await indexedDB.databases()).map(({ name }) => `${name}`),
  ]);

describe.each([
  ['OneTrust', onetrust['the manager first']],
  ['OneTrust, that comes later', onetrust['the recipe first']],
  ['Cookiebot', cookiebot['the manager first']],
  ['Cookiebot, that comes later', cookiebot['the recipe first']],
  ['CookieConsent', cookieConsent],
])('%s', (_, body) => {
  test('no choice yet: what is called waits, and nothing is kept or sent', async () => {
    const page = await open(body);
    await track(page, 'Seen');

    expect(await flush(page)).toMatchObject({ settled: false, reason: 'no_consent' });
    expect(await kept(page)).toEqual([]);
    expect((await stack.received()).events).toEqual([]);
  });

  test('yes: what has waited arrives in its order, and a visitor who returns is not asked again', async () => {
    const page = await open(body);
    await track(page, 'First');
    await track(page, 'Second');
    await choose(page, true);
    expect(await flush(page)).toEqual({ settled: true });
    await page.close();

    const later = await open(body);
    await track(later, 'Third');
    await expect.poll(() => flush(later)).toEqual({ settled: true });

    const events = await eventsReceived(stack, 3);
    expect(events.map(({ eventName }) => eventName)).toEqual(['First', 'Second', 'Third']);
    expect(new Set(events.map(({ anonymousId }) => anonymousId)).size).toBe(1);
  });

  test('no: what has waited is let go, nothing is kept, and a visitor who returns is out', async () => {
    const page = await open(body);
    await track(page, 'Seen');
    await choose(page, false);
    expect(await flush(page)).toEqual({ settled: true });
    expect(await kept(page)).toEqual([]);
    await page.close();

    const later = await open(body);
    await track(later, 'Seen');
    await expect.poll(() => flush(later)).toEqual({ settled: true });
    expect(await kept(later)).toEqual([]);
    expect((await stack.received()).events).toEqual([]);
  });

  test('a change of mind, twice, on one page', async () => {
    const page = await open(body);
    await track(page, 'Before');
    await choose(page, true);
    expect(await flush(page)).toEqual({ settled: true });
    const [before] = await eventsReceived(stack, 1);

    await choose(page, false);
    await track(page, 'Never');
    await expect.poll(() => kept(page)).toEqual([expect.stringMatching(/\?choices$/)]);

    await choose(page, true);
    await track(page, 'Again');
    await flush(page);
    const events = await eventsReceived(stack, 2);
    expect(events.map(({ eventName }) => eventName)).toEqual(['Before', 'Again']);
    expect(events[1]?.anonymousId).not.toBe(before?.anonymousId);
  });
});

test('Cookiebot: who accepts other categories has not accepted this one', async () => {
  const page = await open(cookiebot['the manager first']);
  await track(page, 'Seen');
  await page.evaluate('acceptOthersOnly()');

  expect(await flush(page)).toEqual({ settled: true });
  expect(await kept(page)).toEqual([]);
});

test('a page that has been left before the choice sends and keeps nothing', async () => {
  const page = await open(onetrust['the manager first']);
  await track(page, 'Seen');
  await page.goto(`${site.url}/`);

  expect(await kept(page)).toEqual([]);
  expect((await stack.received()).events).toEqual([]);
});

test('what waits keeps the time at which it was called', async () => {
  const page = await open(onetrust['the manager first']);
  const at = Date.now();
  await track(page, 'Seen');
  await page.waitForFunction((since) => Date.now() - since > 2_000, at);
  await choose(page, true);
  await flush(page);

  const [event] = await eventsReceived(stack, 1);
  const told = Date.parse(String(event?.eventTime).replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  // In whole seconds.
  expect(Math.abs(told - at)).toBeLessThanOrEqual(1_500);
});

test('Global Privacy Control is a no until the visitor says yes here', async () => {
  await context.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true }),
  );
  const tag = TAG.replace('data-consent="pending"', 'data-respect-gpc');
  const page = await open(PAGE_HEAD + README_STUB + tag);
  await track(page, 'Unheard');
  await flush(page);
  expect(await kept(page)).toEqual([]);

  await page.evaluate('webengageRelay.optIn()');
  await track(page, 'Heard');
  await flush(page);
  expect((await eventsReceived(stack, 1)).map(({ eventName }) => eventName)).toEqual(['Heard']);
});
