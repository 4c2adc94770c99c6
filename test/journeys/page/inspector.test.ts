import { readFile } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { README_STUB } from '../../readme-stub.ts';
import { serveSite } from '../site.ts';

// A site with a strict policy, its relay played: what it answers is each test's own.

let site: Awaited<ReturnType<typeof serveSite>>;
let browser: Browser;

const NONCE = 'n0nce';
// What the strictest of sites have: no style but the site's files, and no HTML out of text.
const POLICY =
  `default-src 'none'; script-src 'nonce-${NONCE}'; style-src 'self'; connect-src 'self'; img-src data:;
  require-trusted-types-for 'script'; trusted-types 'none'`.replace(/\s+/g, ' ');

// Reports of real pages: Prototype.js, polyfills, names that a page puts on every object.
const HOSTILE = `
  Array.prototype.toJSON = String.prototype.toJSON = Date.prototype.toJSON = function () { return 'spoilt'; };
  Array.prototype.entries = function () { return this.slice(0); };
  Array.from = function (list) { return [].slice.call(list); };
  'reset kind id record path rule done reason fields findings pause bucket tokens'.split(' ')
    .forEach(function (name) { Object.prototype[name] = function () { return 'spoilt'; }; });`;

const noncedStub = README_STUB.replace('<script>', `<script nonce="${NONCE}">`);
const script = (name: string) => `<script nonce="${NONCE}" async src="/${name}.js"></script>`;
const icon = '<!doctype html><link rel="icon" href="data:,"><title>A site</title>';
const PAGES: Readonly<Record<string, string>> = {
  '/': `${icon}${noncedStub}${script('tracker')}${script('inspector')}<button>The site’s own</button>`,
  '/own': `${icon}${noncedStub}${script('tracker')}${script('inspector')}<relay-inspector open></relay-inspector>`,
  '/hostile': `${icon}<script nonce="${NONCE}">${HOSTILE}</script>${noncedStub}${script('tracker')}${script('inspector')}<relay-inspector open></relay-inspector>`,
  '/bare': `${icon}${script('inspector')}`,
};

beforeAll(async () => {
  const scripts = new Map<string, string>(
    await Promise.all(
      ['tracker', 'inspector'].map(
        async (name) => [`/${name}.js`, await readFile(`dist/${name}.js`, 'utf8')] as const,
      ),
    ),
  );
  site = await serveSite((path) => {
    const body = scripts.get(path);
    if (body !== undefined) return { type: 'text/javascript', body };
    const page = PAGES[path];
    return page === undefined
      ? undefined
      : { type: 'text/html', body: page, headers: { 'Content-Security-Policy': POLICY } };
  });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });
});

afterAll(async () => {
  await browser?.close();
  site?.stop();
});

type Answer = (ids: readonly string[]) => { readonly status: number; readonly body: object };

const UNAVAILABLE: Answer = () => ({
  status: 503,
  body: { error: { code: 'unavailable', message: 'just now' } },
});
/** Takes all but the first, which it refuses for good. */
const REFUSES_ONE: Answer = ([id = '', ...others]) => ({
  status: 202,
  body: {
    response: { status: 'queued' },
    accepted: others.length,
    duplicates: 0,
    rejected: [{ id, issues: [{ path: 'eventData.Price', message: 'must be a number' }] }],
  },
});

async function open(path: string, answer: Answer = UNAVAILABLE) {
  const page = await (await browser.newContext()).newPage();
  const complaints: string[] = [];
  // That the relay is not available is the page's own news.
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('503')) complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  let answers = answer;
  await page.route('**/v1/batch', async (route) => {
    const { records } = JSON.parse(route.request().postData() ?? '{}');
    const { status, body } = answers(records.map(({ id }: { readonly id: string }) => id));
    await route.fulfill({ status, json: body });
  });
  await page.goto(site.url + path, { waitUntil: 'load' });
  return {
    page,
    complaints,
    inspector: page.locator('relay-inspector'),
    /** What a person reads. */
    text: () => page.locator('relay-inspector .box').innerText(),
    answer: (next: Answer) => {
      answers = next;
    },
  };
}

// A pause after a failure lasts some seconds.
const PATIENT = { timeout: 20_000 };

const evaluate = (page: Page, code: string) => page.evaluate(code);

/** The rows of records in the tracker's database. */
const rowsOf = (page: Page) =>
  page.evaluate(async () => {
    const [{ name = '' } = {}] = await indexedDB.databases();
    const asked = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await asked(indexedDB.open(name));
    const keys = await asked(database.transaction('records').objectStore('records').getAllKeys());
    database.close();
    return keys.filter((key) => typeof key === 'number').length;
  });

describe('under the strictest policy', () => {
  test('it shows waiting records, the rate, outcomes, and an error with field and rule', async () => {
    const { page, inspector, complaints, answer } = await open('/own');
    const part = (name: string) => inspector.getByRole('region', { name, exact: true });
    await evaluate(page, `webengageRelay.track('Bought', { Price: 3 })`);
    await evaluate(page, `webengageRelay.identify('johndoe', { email: 'john@doe.com', phone: '98765' })`);
    await evaluate(page, 'webengageRelay.flush()');

    await expect
      .poll(() => part('Buffer').innerText(), PATIENT)
      .toMatch(
        /Bought\s+track\s+\d+ s\s+\d+ B\s+accepts it\s+identify\s+identify\s+\d+ s\s+\d+ B\s+repairs 1 field/,
      );
    const figures = inspector.locator('.figures');
    await expect.poll(() => figures.innerText(), PATIENT).toMatch(/Waiting\s+2\s+Oldest\s+\d+ s/);
    expect(await figures.innerText()).toMatch(/Requests left, 60 a minute\s+[0-5] of 5/);
    await expect.poll(() => figures.innerText(), PATIENT).toMatch(/unavailable: the relay is not available/);
    await expect.poll(() => part('Batches').innerText()).toMatch(/retrying\s+unavailable, again in/);

    answer(REFUSES_ONE);
    await expect
      .poll(async () => {
        await evaluate(page, 'webengageRelay.flush()');
        return part('Outcomes').innerText();
      }, PATIENT)
      .toMatch(/of 2 tracked\s+waiting\s+0\s+delivered\s+1\s+rejected\s+1\s/);

    await expect.poll(() => part('Errors').innerText()).toMatch(/rejected\s+Bought [\w-]{22}\.1/);
    expect(await part('Errors').innerText()).toContain('eventData.Price must be a number');
    await expect.poll(() => part('Batches').innerText()).toMatch(/delivered\s+1 record/);
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 90_000);

  test('it looks as designed, because its style is not blocked', async () => {
    const { page, inspector } = await open('/own');

    const styles = await inspector.evaluate((node) => {
      const box = node.shadowRoot?.querySelector('.box');
      return [getComputedStyle(node).display, box && getComputedStyle(box).borderRadius];
    });

    expect(styles).toEqual(['block', '14px']);
    await page.context().close();
  });

  test.each(['light', 'dark'] as const)(
    'it has the %s scheme that the visitor prefers or the page sets',
    async (scheme) => {
      const { page, inspector } = await open('/own');
      await page.emulateMedia({ colorScheme: scheme });
      const background = () =>
        inspector.evaluate(
          (node) => getComputedStyle(node.shadowRoot?.querySelector('.box') as Element).backgroundColor,
        );

      const colours = { light: 'rgb(255, 255, 255)', dark: 'rgb(24, 28, 26)' };
      expect(await background()).toBe(colours[scheme]);
      await inspector.evaluate((node) => node.style.setProperty('color-scheme', 'dark'));
      expect(await background()).toBe(colours.dark);
      await page.context().close();
    },
  );
});

describe('as a script alone', () => {
  test('it adds itself to the page, closed and in the corner, if the page has none of its own', async () => {
    const { page, inspector, text } = await open('/');

    await expect.poll(() => inspector.count()).toBe(1);
    expect(await inspector.getAttribute('floating')).toBe('');
    expect(await inspector.evaluate((node) => getComputedStyle(node).position)).toBe('fixed');
    await expect.poll(text).toMatch(/^Relay inspector\s+no errors$/);
    await page.context().close();
  });

  test('it adds none beside the page’s own', async () => {
    const { page, inspector } = await open('/own');

    expect(await inspector.count()).toBe(1);
    expect(await inspector.getAttribute('floating')).toBeNull();
    await page.context().close();
  });

  test('without a tracker it says what is missing, and makes no database', async () => {
    const { page, inspector, text, complaints } = await open('/bare');

    await inspector.locator('summary').click();

    await expect.poll(text).toContain(`<script async src="${site.url}/tracker.js"></script>`);
    expect(await page.evaluate(() => indexedDB.databases())).toEqual([]);
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('it is at most as wide as a narrow screen', async () => {
    const { page, inspector, text } = await open('/');
    await page.setViewportSize({ width: 320, height: 560 });
    await evaluate(page, `webengageRelay.track('${'A long name '.repeat(4).trim()}', { n: 1 })`);
    await inspector.locator('summary').click();
    await expect.poll(text).toContain('A long name');

    const { x = -1, width = 0, height = 0 } = (await inspector.boundingBox()) ?? {};

    expect(x).toBeGreaterThanOrEqual(0);
    expect(x + width).toBeLessThanOrEqual(320);
    expect(height).toBeLessThanOrEqual(560);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await page.context().close();
  });
});

test('all of it works by keyboard, with descriptive names', async () => {
  const { page, inspector } = await open('/');
  await evaluate(page, `webengageRelay.track('Bought', { Price: 3 })`);
  await evaluate(page, 'webengageRelay.flush()');
  const focused = () =>
    page.evaluate(() => {
      const inside = document.activeElement?.shadowRoot?.activeElement;
      return inside?.getAttribute('aria-label') ?? inside?.textContent ?? document.activeElement?.textContent;
    });
  const next = async () => {
    await page.keyboard.press('Tab');
    return focused();
  };

  // Past the site's own button to the summary, which opens it.
  expect(await next()).toBe('The site’s own');
  expect(await next()).toMatch(/^Relay inspector/);
  await page.keyboard.press('Enter');
  await expect.poll(() => inspector.getByRole('button', { name: 'Bought' }).count()).toBe(1);

  const reached: unknown[] = [];
  for (let presses = 0; presses < 6; presses++) reached.push(await next());
  expect(reached).toEqual(['Flush now', 'Clear lists', 'Errors', 'Batches', 'Buffer', 'Bought']);

  // A record's content, and back.
  await page.keyboard.press('Enter');
  const record = inspector.getByRole('region', { name: 'Record', exact: true });
  await expect.poll(() => record.innerText()).toContain('"eventName": "Bought"');
  await expect
    .poll(() => inspector.getByRole('button', { name: 'Bought' }).getAttribute('aria-expanded'))
    .toBe('true');
  expect(await next()).toBe('Close');
  await page.keyboard.press('Enter');
  await expect.poll(() => record.count()).toBe(0);
  expect(await focused()).toBe('Buffer');

  for (const name of ['Batches', 'Errors', 'Clear lists', 'Flush now']) {
    await page.keyboard.press('Shift+Tab');
    expect(await focused()).toBe(name);
  }
  await page.keyboard.press('Enter');
  await expect.poll(() => inspector.locator('.said').innerText()).toMatch(/^Kept, again in/);
  expect(await focused()).toBe('Flush now');

  const roles = await inspector.locator('details').ariaSnapshot();
  for (const named of [
    'heading "Relay inspector" [level=2]',
    'button "Flush now"',
    'region "Errors"',
    'heading "Errors" [level=3]',
    'log "Errors"',
    'table "The latest outcomes, newest first"',
    'table "Oldest first"',
    'columnheader "Record"',
    'rowheader "Bought"',
  ])
    expect(roles).toContain(named);
  await page.context().close();
});

test('a selected record stays when it has left the buffer, and keeps the focus', async () => {
  const { page, inspector, answer } = await open('/own');
  await evaluate(page, `webengageRelay.track('Bought', { Price: 3 })`);
  await evaluate(page, 'webengageRelay.flush()');
  const row = inspector.getByRole('button', { name: 'Bought' });
  await row.press('Enter');

  answer(REFUSES_ONE);
  await expect
    .poll(async () => {
      await evaluate(page, 'webengageRelay.flush()');
      return row.count();
    }, PATIENT)
    .toBe(0);

  const record = inspector.getByRole('region', { name: 'Record', exact: true });
  expect(await record.innerText()).toMatch(/Bought\s+has left the buffer[\s\S]*"Price": 3/);
  expect(await inspector.evaluate((node) => node.shadowRoot?.activeElement?.getAttribute('aria-label'))).toBe(
    'Buffer',
  );
  await page.context().close();
}, 90_000);

test('it works on a page that has changed its built-ins and put names on every object', async () => {
  const { page, inspector, text, complaints } = await open('/hostile');
  await evaluate(page, `webengageRelay.on('retrying', () => { throw new Error('the page’s own'); })`);
  await evaluate(page, `webengageRelay.track('Bought', { Items: [1, 2], we_own: 3 })`);
  await evaluate(page, 'webengageRelay.flush()');

  await expect.poll(text, PATIENT).toMatch(/Bought\s+track\s+\d+ s\s+\d+ B\s+repairs 1 field/);
  await inspector.getByRole('button', { name: 'Bought' }).press('Enter');
  const record = inspector.getByRole('region', { name: 'Record', exact: true });
  await expect.poll(() => record.innerText(), PATIENT).toMatch(/"Items": \[\s+1,\s+2\s+\]/);
  expect(await record.innerText()).toContain(
    'eventData.we_own has a name that must not start with we_: left out',
  );
  expect(await text()).toMatch(/unavailable: the relay is not available/);
  expect(await text()).not.toContain('spoilt');
  expect(complaints.filter((complaint) => complaint !== 'the page’s own')).toEqual([]);
  await page.context().close();
}, 90_000);

test('it does not block an opt-out, and shows it', async () => {
  const { page, text, complaints } = await open('/own');
  await evaluate(page, `webengageRelay.track('Bought', { Price: 3 })`);
  await expect.poll(text).toContain('Bought');

  await evaluate(page, 'webengageRelay.optOut()');

  await expect.poll(text).toContain('The visitor has opted out');
  expect(await text()).toContain('opted_out: the visitor has opted out');
  await expect.poll(() => rowsOf(page)).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});
