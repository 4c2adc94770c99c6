import { readFile } from 'node:fs/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { keptUnder, MARK_ALONE, NOTHING_KEPT, stateOf } from '../../fakes/browser/site-data.ts';
import { moduleAt, moduleTag } from '../../samples/modules.ts';
import { sample } from '../../samples/samples.ts';
import { eventsReceived } from '../received.ts';
import { type Answered, serveSite } from '../site.ts';
import { type Stack, startStack } from '../stack.ts';
import { COOKIEBOT, ONETRUST } from './consent-managers.ts';

// docs/guides/consent.md, as it stands, in Chromium against a relay that runs.

// On a busy machine a page and a relay take their time.
const PATIENT = { timeout: 10_000 };

let site: Awaited<ReturnType<typeof serveSite>>;
let files: Record<string, Answered>;
let stack: Stack;
let browser: Browser;
let context: BrowserContext;
/** What went to the relay, but for its scripts. */
let requests: string[];
let errors: string[];

beforeAll(async () => {
  site = await serveSite((path) => files[path] ?? moduleAt(path));
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
  files = {};
  requests = [];
  errors = [];
  context = await browser.newContext();
  // Banners hide from what says that it is driven.
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });
  });
  context.on('weberror', (error) => errors.push(error.error().message));
  context.on('request', (request) => {
    const url = request.url();
    if (url.startsWith(stack.relayUrl) && !url.endsWith('.js')) requests.push(url);
  });
});

afterEach(async () => {
  await context.close();
  expect(errors).toEqual([]);
  await expect.poll(stack.backlog, PATIENT).toBe(0);
});

const filled = (text: string) => text.replaceAll('https://t.example.com', stack.relayUrl);

/** A page of the site, opened. */
async function open(html: string): Promise<Page> {
  const head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>';
  files['/'] = { type: 'text/html', body: filled(head + html) };
  const page = await context.newPage();
  await page.goto(site.url, { waitUntil: 'load' });
  return page;
}

/** What is kept under the tracker's names; a manager keeps the choice in its own. */
const kept = async (page: Page) => ({
  ...(await page.evaluate(keptUnder, `webengage-relay:${stack.relayUrl}`)),
  cookies: '',
});
/** The mark of a visitor who has opted out, in both places. */
const MARKED = {
  ...NOTHING_KEPT,
  databases: [expect.stringMatching(/^webengage-relay:/)],
  local: [[expect.stringMatching(/^webengage-relay:.*\?choices$/), expect.stringMatching(/^\d+$/)]],
};

const namesOf = (events: readonly { readonly eventName: string }[]) =>
  events.map(({ eventName }) => eventName);

const STYLESHEET = await readFile(
  new URL(import.meta.resolve('vanilla-cookieconsent/dist/cookieconsent.css')),
  'utf8',
);
const PENDING = sample('docs/guides/consent.md#in-your-page html').text;

describe.each([
  {
    manager: 'OneTrust',
    page: () => {
      files['/onetrust.js'] = { type: 'text/javascript', body: ONETRUST };
      const recipe = sample('docs/guides/consent.md#onetrust html').text;
      return `${PENDING}${recipe}<script async src="/onetrust.js"></script>`;
    },
    tracker: 'webengageRelay',
    accept: (page: Page) => page.evaluate('accept()'),
    refuse: (page: Page) => page.evaluate('refuse()'),
  },
  {
    manager: 'Cookiebot',
    page: () => {
      files['/cookiebot.js'] = { type: 'text/javascript', body: COOKIEBOT };
      const recipe = sample('docs/guides/consent.md#cookiebot html').text;
      return `${PENDING}${recipe}<script async src="/cookiebot.js"></script>`;
    },
    tracker: 'webengageRelay',
    accept: (page: Page) => page.evaluate('accept()'),
    refuse: (page: Page) => page.evaluate('refuse()'),
  },
  {
    manager: 'Cookiebot, loaded before all else',
    page: () => {
      files['/cookiebot.js'] = { type: 'text/javascript', body: COOKIEBOT };
      const recipe = sample('docs/guides/consent.md#cookiebot html').text;
      return `<script src="/cookiebot.js"></script>${PENDING}${recipe}`;
    },
    tracker: 'webengageRelay',
    accept: (page: Page) => page.evaluate('accept()'),
    refuse: (page: Page) => page.evaluate('refuse()'),
  },
  {
    manager: 'CookieConsent',
    page: () => {
      files['/cookieconsent.css'] = { type: 'text/css', body: STYLESHEET };
      const recipe = moduleTag(sample('docs/guides/consent.md#cookieconsent ts').text);
      return `<link rel="stylesheet" href="/cookieconsent.css">${recipe}<button data-cc="show-preferencesModal">Cookies</button>`;
    },
    tracker: 'tracker',
    accept: (page: Page) => chooseInBanner(page, 'Yes', 'All of it'),
    refuse: (page: Page) => chooseInBanner(page, 'No', 'Nothing'),
  },
])('$manager', ({ page: html, tracker, accept, refuse }) => {
  const track = (page: Page, name: string) => page.evaluate(`void ${tracker}.track('${name}')`);
  const flush = (page: Page) => page.evaluate(`${tracker}.flush()`);
  const NO_CONSENT = { settled: false, reason: 'no_consent', retryInMs: Number.POSITIVE_INFINITY };

  test('no choice yet: calls wait, nothing is stored or sent, even on unload, and the next page starts empty', async () => {
    const page = await open(html());
    await track(page, 'Seen');
    expect(await flush(page)).toEqual(NO_CONSENT);
    await page.reload({ waitUntil: 'load' });
    expect(await flush(page)).toEqual(NO_CONSENT);

    expect(await kept(page)).toEqual(NOTHING_KEPT);
    expect(requests).toEqual([]);
    expect((await stack.received()).events).toEqual([]);
  });

  test('an opt-in: earlier calls arrive in order, and a returning visitor has already chosen', async () => {
    const page = await open(html());
    await track(page, 'Seen');
    await track(page, 'Seen again');
    await accept(page);
    expect(await flush(page)).toEqual({ settled: true });
    await page.reload({ waitUntil: 'load' });
    await track(page, 'Come back');
    await expect.poll(() => flush(page), PATIENT).toEqual({ settled: true });

    expect(namesOf(await eventsReceived(stack, 3))).toEqual(['Seen', 'Seen again', 'Come back']);
  });

  test('an opt-out: nothing is stored or sent, on later visits too', async () => {
    const page = await open(html());
    await track(page, 'Seen');
    await refuse(page);
    expect(await flush(page)).toEqual({ settled: true });
    // The manager does not wait for `optOut()`, which looks for what earlier visits may have left.
    await expect.poll(() => kept(page), { timeout: 10_000 }).toEqual(NOTHING_KEPT);
    await page.reload({ waitUntil: 'load' });
    await track(page, 'Come back');
    await expect.poll(() => flush(page), PATIENT).toEqual({ settled: true });

    await expect.poll(() => kept(page), { timeout: 10_000 }).toEqual(NOTHING_KEPT);
    expect(requests).toEqual([]);
    expect((await stack.received()).events).toEqual([]);
  });

  test('a change of mind without a reload: consent withdrawn, and given again', async () => {
    const page = await open(html());
    await accept(page);
    await track(page, 'Under the yes');
    await flush(page);

    await refuse(page);
    await expect.poll(() => kept(page), PATIENT).toEqual(MARKED);
    const stored = () => page.evaluate(stateOf, `webengage-relay:${stack.relayUrl}`);
    await expect.poll(stored, PATIENT).toEqual(MARK_ALONE);
    await track(page, 'Under the no');
    expect(await flush(page)).toEqual({ settled: true });

    await accept(page);
    await track(page, 'Under the second yes');
    expect(await flush(page)).toEqual({ settled: true });
    const events = await eventsReceived(stack, 2);
    expect(namesOf(events)).toEqual(['Under the yes', 'Under the second yes']);
    expect(events[1]?.anonymousId).not.toBe(events[0]?.anonymousId);
  });
});

/** What a visitor does: in the banner, or in the preferences once that is gone. */
async function chooseInBanner(page: Page, first: string, later: string): Promise<void> {
  const hasChosen = (await page.context().cookies()).some(({ name }) => name === 'cc_cookie');
  if (hasChosen) await page.getByRole('button', { name: 'Cookies', exact: true }).click();
  await page.getByRole('button', { name: hasChosen ? later : first, exact: true }).click();
}

test('calls from before the opt-in arrive with their own times and pages, page views too', async () => {
  const page = await context.newPage();
  await page.clock.install();
  files['/shelf'] = {
    type: 'text/html',
    body: filled(`<!doctype html><link rel="icon" href="data:,"><title>A shelf</title>${PENDING}
      <script>
        webengageRelay.use((call) => ({ ...call, eventData: { ...call.eventData, At: call.page } }));
        webengageRelay.identify('johndoe');
        webengageRelay.track('Early');
      </script>
      <script async src="https://t.example.com/page-views.js"></script>`),
  };
  await page.goto(`${site.url}/shelf`, { waitUntil: 'load' });
  await page.evaluate(() => {
    history.pushState(null, '', '/cart');
    document.title = 'The cart';
  });
  await page.evaluate('void webengageRelay.track("In the cart")');
  await page.clock.fastForward(60_000);
  await page.evaluate('webengageRelay.optIn(); void webengageRelay.track("Late")');
  await page.evaluate('webengageRelay.flush()');

  const events = await eventsReceived(stack, 5);
  const at = (path: string) => site.url + path;
  const told = events.map(({ eventName, eventData }) => [eventName, eventData?.URL ?? eventData?.At]);
  expect(told.filter(([name]) => name !== 'Page Viewed')).toEqual([
    ['Early', at('/shelf')],
    ['In the cart', at('/cart')],
    ['Late', at('/cart')],
  ]);
  expect(told.filter(([name]) => name === 'Page Viewed').map(([, url]) => url)).toEqual([
    at('/shelf'),
    at('/cart'),
  ]);
  expect(events.map(({ userId }) => userId)).toEqual(Array(5).fill('johndoe'));
  const moments = new Map(events.map(({ eventName, eventTime }) => [eventName, Date.parse(eventTime)]));
  const since = (name: string) => (moments.get('Late') ?? 0) - (moments.get(name) ?? 0);
  for (const name of ['Early', 'In the cart', 'Page Viewed'])
    expect(since(name)).toBeGreaterThanOrEqual(59_000);
});

test('with Global Privacy Control respected, nothing is tracked until the visitor opts in', async () => {
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });
  });
  const page = await open(PENDING.replace('data-consent="pending"', 'data-respect-gpc'));
  await page.evaluate(`webengageRelay.track('Denied')`);
  expect(await kept(page)).toEqual(NOTHING_KEPT);

  await page.evaluate(`webengageRelay.optIn(); webengageRelay.track('Said yes')`);
  await page.evaluate('webengageRelay.flush()');
  expect(namesOf(await eventsReceived(stack, 1))).toEqual(['Said yes']);
});

test('calls, opt-outs and opt-ins from before the script has loaded apply in order', async () => {
  const page = await open(`${PENDING}<script>
    webengageRelay.track('Let go');
    webengageRelay.optOut();
    webengageRelay.track('Denied');
    webengageRelay.optIn();
    webengageRelay.track('First');
    webengageRelay.identify('johndoe');
    webengageRelay.track('Second');
  </script>`);
  await page.evaluate('webengageRelay.flush()');

  const events = await eventsReceived(stack, 2);
  expect(events.map(({ eventName, userId }) => [eventName, userId])).toEqual([
    ['First', undefined],
    ['Second', 'johndoe'],
  ]);
});
