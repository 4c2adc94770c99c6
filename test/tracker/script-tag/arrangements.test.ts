// @vitest-environment node
import { readFileSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { README_STUB } from '../../readme-stub.ts';
import { fakeRelay, fakeSite } from '../places-site.ts';

// Real pages, with stubs and scripts as templates, tag managers and frameworks leave them there.

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const WITHIN = { timeout: 20_000 };

let browser: Browser;
let context: BrowserContext;
let relay: Awaited<ReturnType<typeof fakeRelay>>;
let site: Awaited<ReturnType<typeof fakeSite>> | undefined;
let page: Page;
const thrown: string[] = [];
const logged: string[] = [];

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });
});

afterAll(() => browser?.close());

beforeEach(async () => {
  relay = await fakeRelay();
  context = await browser.newContext();
  page = await context.newPage();
  thrown.length = 0;
  logged.length = 0;
  page.on('pageerror', ({ message }) => thrown.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' && message.text().startsWith('webengage-relay'))
      logged.push(message.text());
  });
});

afterEach(async () => {
  await context.close();
  site?.stop();
  relay.stop();
});

const CORE = readFileSync('dist/tracker.js', 'utf8');

/** Opens a page of this markup; further files by their paths. */
async function open(body: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
  const markup = `<!doctype html><link rel="icon" href="data:,"><title>A page</title>${body}`;
  site = await fakeSite({ '/': markup, ...files });
  await page.goto(site.url, { waitUntil: 'load' });
}

const inline = (code: string) => `<script>${code}</script>`;
const to = () => `data-endpoint="${relay.url}" data-max-wait-ms="100"`;
const script = (attributes = to(), name = 'tracker.js') => `<script src="/${name}" ${attributes}></script>`;
const options = (more = '') =>
  inline(`webengageRelay.options = { endpoint: '${relay.url}', maxWaitMs: 100, ${more} }`);
const call = (name: string) => inline(`webengageRelay.track('${name}').then(() => kept.push('${name}'))`);
const KEPT = inline('kept = []');
/** As a tag manager adds a script: only its address comes through. */
const injected = (name = 'tracker.js') =>
  inline(`document.head.append(Object.assign(document.createElement('script'), { src: '/${name}' }))`);

const isReady = () => page.waitForFunction('webengageRelay.createTracker');

/** Sends what waits, and what a second tracker, if there is one, might send yet. */
async function namesSent(): Promise<string[]> {
  await page.evaluate('webengageRelay.flush()');
  await page.evaluate('webengageRelay.flush()');
  return relay.names();
}

const fates = (name: string) =>
  page.evaluate<string>(`webengageRelay.track('${name}').then(() => 'kept', (error) => error.message)`);

describe('one tracker makes each queued call once', () => {
  test.each<[string, () => string]>([
    ['the script comes twice', () => README_STUB + call('A') + script() + script()],
    ['the stub comes twice before the script', () => README_STUB + call('A') + README_STUB + script()],
    ['the stub comes again after the script', () => README_STUB + call('A') + script() + README_STUB],
    ['the stub comes only after the script', () => script() + README_STUB + call('A')],
    [
      'stubs and scripts alternate',
      () => README_STUB + call('A') + script() + README_STUB + script() + README_STUB + script(),
    ],
    ['there is no stub', () => script() + call('A')],
    ['both bundles are loaded', () => README_STUB + call('A') + script() + script(to(), 'tracker.full.js')],
    [
      'both bundles are loaded, the full one first',
      () => README_STUB + call('A') + script(to(), 'tracker.full.js') + script(),
    ],
    [
      'a script from a tag manager and one from the template',
      () => README_STUB + options() + call('A') + injected() + script(),
    ],
  ])('%s', async (_, body) => {
    await open(KEPT + body());
    await isReady();
    await page.waitForFunction('kept.length === 1');

    expect(await fates('B')).toBe('kept');
    expect(await namesSent()).toEqual(['A', 'B']);
    expect([thrown, logged]).toEqual([[], []]);
  });

  test('a framework swaps the body, and the same script runs again', async () => {
    await open(`${KEPT}${README_STUB}<body>${call('A')}${script()}</body>`);
    await isReady();

    await page.evaluate(`for (const each of [1, 2]) {
      const body = document.body.cloneNode(true);
      for (const old of body.querySelectorAll('script')) {
        const fresh = document.createElement('script');
        for (const { name, value } of old.attributes) fresh.setAttribute(name, value);
        fresh.text = old.text.replace(/'[A-Z]\\d?'/g, "'B" + each + "'");
        old.replaceWith(fresh);
      }
      document.body = body;
    }`);
    await page.waitForFunction('kept.length === 3');

    expect((await namesSent()).sort()).toEqual(['A', 'B1', 'B2']);
    expect(thrown).toEqual([]);
  });

  test('a method kept from before the script works afterwards, and so does the stub', async () => {
    await open(
      `${README_STUB}${inline('held = webengageRelay; ({ track } = webengageRelay); track("A")')}${script()}`,
    );
    await isReady();

    await page.evaluate('track("B").then(() => held.track("C"))');

    expect(await namesSent()).toEqual(['A', 'B', 'C']);
    expect(await page.evaluate('held === webengageRelay')).toBe(true);
  });

  test('a script that can’t start leaves its calls to one that can', async () => {
    const kept = inline(`webengageRelay.track('A').catch(({ message }) => (early = message))`);
    await open(README_STUB + kept + script(`${to()} data-consent="pending"`));
    expect(await page.evaluate('early')).toContain('consent: pending needs tracker.full.js');
    expect(await fates('B')).toContain('consent: pending needs tracker.full.js');
    expect(await page.evaluate('indexedDB.databases()')).toEqual([]);

    await page.evaluate(
      `document.head.append(Object.assign(document.createElement('script'), {
      src: '/tracker.full.js', onload: () => webengageRelay.optIn(),
    })).dataset`.replace(').dataset', ')'),
    );
    await page.evaluate(
      `webengageRelay.options = { endpoint: '${relay.url}', maxWaitMs: 100, consent: 'granted' }`,
    );
    await isReady();

    await expect.poll(namesSent, WITHIN).toEqual(['A', 'B']);
    expect(logged).toHaveLength(1);
    expect(thrown).toEqual([]);
  });
});

describe('a page’s own built-ins change nothing', () => {
  const HOSTILE = {
    'a frozen Array.prototype': 'Object.freeze(Array.prototype)',
    'a frozen Object.prototype': 'Object.freeze(Object.prototype)',
    'Object.prototype.reset': 'Object.prototype.reset = () => {}',
    'names of ours on Object.prototype, frozen':
      "for (const name of ['reset', 'queue', 'options', 'createTracker', 'consent', 'endpoint']) Object.prototype[name] = () => {}; Object.freeze(Object.prototype)",
    'Object.prototype.track': 'Object.prototype.track = () => {}',
    'Array.prototype.entries of Prototype.js 1.7':
      'Array.prototype.entries = function () { return [].concat(this) }',
  };

  // The core, too, has to bear each of these: here the calls alone are looked at.
  test.each(Object.entries(HOSTILE))('%s', async (_, code) => {
    const install = inline(`
      webengageRelay.track('A', { Name: 'Hat' });
      ({ track } = webengageRelay);
      reset = webengageRelay.reset;`);
    await open(inline(code) + README_STUB + install, { '/app.js': CORE });

    expect(await page.evaluate('webengageRelay.queue.map(([name, call]) => [name, call])')).toEqual([
      ['track', ['A', { Name: 'Hat' }]],
    ]);
    await page.evaluate(
      `document.head.append(Object.assign(document.createElement('script'), { src: '/app.js' }))`,
    );
    await expect.poll(() => logged.length + thrown.length, WITHIN).toBe(1);
    expect(logged).toEqual([expect.stringContaining('no endpoint')]);
    expect(await page.evaluate("track('B').catch(({ message }) => message)")).toMatch(/no endpoint/);
    expect(await page.evaluate('webengageRelay.queue.length')).toBe(2);
  });

  test.each([
    ['its own Map and Set', 'Map = Set = function () {}'],
    // Chromium then can't copy what a script tag's `dataset` holds.
    ['`get` and `value` on every object', 'Object.prototype.get = Object.prototype.value = () => {}'],
  ])('%s: each call is sent once', async (_, code) => {
    const track = inline(`webengageRelay.track('A', { Name: 'Hat' })`);
    await open(inline(code) + README_STUB + track + script());

    await expect.poll(namesSent, WITHIN).toEqual(['A']);
    expect(thrown).toEqual([]);
  });

  test('a frozen Array.prototype loses no call, whichever script made it', async () => {
    const held = inline(`({ track } = webengageRelay); track('A')`);
    await open(inline('Object.freeze(Array.prototype)') + README_STUB + held + script());
    await isReady();

    await page.evaluate('track("B").then(() => webengageRelay.track("C"))');

    expect(await namesSent()).toEqual(['A', 'B', 'C']);
    expect([thrown, logged]).toEqual([[], []]);
  });
});

describe('a lost setting means no tracking', () => {
  const CONSENT = 'webengageRelay.options = { consent: window.undefinedHere }';

  test.each<[string, string, () => string]>([
    [
      'tracker.full.js without settings',
      'tracker.full.js',
      () => README_STUB + script('', 'tracker.full.js'),
    ],
    [
      'tracker.full.js by a tag manager, which adds attributes of its own',
      'data-consent="granted"',
      () => README_STUB + script('data-gtmsrc="x"', 'tracker.full.js'),
    ],
    [
      'an unfilled template',
      'consent',
      () => README_STUB + script(`${to()} data-consent="{{ consent }}"`, 'tracker.full.js'),
    ],
    ['an empty attribute', 'consent', () => README_STUB + script(`${to()} data-consent`, 'tracker.full.js')],
    [
      'different capitalization',
      'consent',
      () => README_STUB + script(`${to()} data-consent="Granted"`, 'tracker.full.js'),
    ],
    ['undefined', 'consent', () => README_STUB + inline(CONSENT) + script(to(), 'tracker.full.js')],
    ['… for tracker.js', 'tracker.full.js', () => README_STUB + inline(CONSENT) + script()],
    ['denied, for tracker.js', 'tracker.full.js', () => script(`${to()} data-consent="denied"`)],
    ['respectGpc, for tracker.js', 'tracker.full.js', () => script(`${to()} data-respect-gpc`)],
    ['identityToken, for tracker.js', 'tracker.full.js', () => script(`${to()} data-identity-token="token"`)],
    [
      'strict on the stub, for tracker.js',
      'tracker.full.js',
      () => README_STUB + options('strict: true') + script(),
    ],
    [
      'pending in the attribute, and granted on the stub, for tracker.js',
      'tracker.full.js',
      () => README_STUB + options("consent: 'granted'") + script(`${to()} data-consent="pending"`),
    ],
  ])('%s', async (_, remedy, body) => {
    await open(body());

    const message = await fates('A');

    expect(message).toContain(remedy);
    expect(logged).toEqual([expect.stringContaining(message)]);
    expect(thrown).toEqual([]);
    expect(await page.evaluate('[localStorage.length, indexedDB.databases()][0]')).toBe(0);
    expect(await page.evaluate('indexedDB.databases()')).toEqual([]);
    expect(relay.batches).toEqual([]);
  });

  test.each<[string, () => string]>([
    ['on the stub, and lost from the tag', () => options("consent: 'pending'") + injected('tracker.full.js')],
    [
      'on the stub, though the tag says granted',
      () => options("consent: 'pending'") + script('data-consent="granted"', 'tracker.full.js'),
    ],
    [
      'on the tag, though the stub says granted',
      () => options("consent: 'granted'") + script('data-consent="pending"', 'tracker.full.js'),
    ],
  ])('%s, pending holds', async (_, body) => {
    await open(README_STUB + call('A') + KEPT + body());
    await isReady();
    expect(await page.evaluate('webengageRelay.flush()')).toMatchObject({ reason: 'no_consent' });
    expect(await page.evaluate('indexedDB.databases()')).toEqual([]);

    await page.evaluate('webengageRelay.optIn()');

    await expect.poll(namesSent, WITHIN).toEqual(['A']);
  });
});

describe('the relay’s address', () => {
  const APP = `const app = 1; ${CORE}`;

  test.each<[string, () => string]>([
    ['inline', () => README_STUB + inline(CORE.replaceAll('</', '<\\/'))],
    ['by import()', () => `${README_STUB}<script type="module">import('/tracker.js')</script>`],
    ['as a module', () => `${README_STUB}<script type="module" src="/tracker.js"></script>`],
    ['in another script', () => `${README_STUB}<script src="/app.js"></script>`],
    [
      'behind an element of that name',
      () => `<img name="currentScript" src="https://evil.example/tracker.js">${README_STUB}${script('')}`,
    ],
  ])('is not guessed: %s', async (_, body) => {
    const posted: string[] = [];
    page.on('request', (request) => void (request.method() === 'POST' && posted.push(request.url())));
    await open(body(), { '/app.js': APP });
    await expect.poll(() => logged.length, WITHIN).toBe(1);

    expect(await fates('A')).toContain('webengageRelay.options = { endpoint }');
    expect(posted).toEqual([]);
    expect(thrown).toEqual([]);
  });

  test.each<[string, () => string]>([
    ['inline', () => inline(CORE.replaceAll('</', '<\\/'))],
    ['by import()', () => `<script type="module">import('/tracker.js')</script>`],
    ['in another script', () => '<script src="/app.js"></script>'],
    ['behind an element of that name', () => `<img name="currentScript">${script('')}`],
  ])('is on the stub: %s', async (_, body) => {
    await open(README_STUB + options() + body(), { '/app.js': APP });
    await isReady();

    expect(await fates('A')).toBe('kept');
    expect(await namesSent()).toEqual(['A']);
  });

  test('is in options set before the stub', async () => {
    const before = inline(`window.webengageRelay = { options: { endpoint: '${relay.url}' } }`);
    await open(before + README_STUB + call('A') + KEPT + injected());
    await isReady();

    expect(await namesSent()).toEqual(['A']);
  });
});

describe('promises settle', () => {
  test.each([
    ['is missing', '<script src="/none.js"></script>'],
    ['is empty', '<script src="/empty.js"></script>'],
    ['throws', '<script src="/broken.js"></script>'],
    ['is on an unreachable server', '<script src="http://127.0.0.1:9/tracker.js"></script>'],
  ])('after five seconds if the script %s, and the page goes on', async (_, tag) => {
    await page.clock.install();
    const files = { '/none.js': '<', '/empty.js': '', '/broken.js': 'throw 0' };
    const rejections = inline(`rejections = []; onunhandledrejection = () => rejections.push(1)`);
    await open(rejections + README_STUB + call('A').replace(".then(() => kept.push('A'))", '') + tag, files);
    await page.evaluate(`void webengageRelay.track('B').catch(({ message }) => (why = message))`);
    await page.clock.fastForward(5_000);

    await expect.poll(() => page.evaluate('why'), WITHIN).toBe('webengageRelay did not load');
    expect(await page.evaluate('rejections')).toEqual([]);
  });

  test('and a script that arrives afterwards makes the calls all the same', async () => {
    await page.clock.install();
    await open(
      README_STUB + options() + KEPT + inline(`webengageRelay.track('A').catch(() => kept.push('rejected'))`),
    );
    await page.clock.fastForward(6_000);
    await page.waitForFunction('kept.length === 1');

    await page.addScriptTag({ url: `${site?.url}/tracker.js` });
    await isReady();

    expect(await namesSent()).toEqual(['A']);
  });

  test('a call that waits for consent does not count as one without a script', async () => {
    await page.clock.install();
    await open(README_STUB + KEPT + call('A') + options("consent: 'pending'") + injected('tracker.full.js'));
    await isReady();
    await page.clock.fastForward(60_000);
    await page.evaluate('webengageRelay.optIn()');

    await page.waitForFunction('kept.length === 1');
  });
});
