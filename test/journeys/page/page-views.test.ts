import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type Browser, chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { scriptTag } from '../../../src/cli/script-tag.ts';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { freePort } from '../free-port.ts';
import { eventsReceived } from '../received.ts';
import { type Stack, startStack } from '../stack.ts';

let stack: Stack;
let browser: Browser;
/** The pages whose page views have begun, and how. */
const started: string[] = [];
let site: { readonly url: string; readonly server: Server };

beforeAll(async () => {
  const port = await freePort();
  const server = createServer(({ url = '/' }, response) => {
    const tracker = scriptTag(stack.relayUrl);
    const views = `<script async src="${stack.relayUrl}/page-views.js" data-query="page" data-campaign="ref"
      onload="fetch('/started' + location.pathname + (document.prerendering ? '?prerendering' : ''))"></script>`;
    if (url.startsWith('/started')) started.push(url);
    const page = `<!doctype html><title>${url.split('?')[0]}</title><link rel="icon" href="data:,">
      ${url === '/bare' ? '' : tracker}${views}`;
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(page);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  site = { url: `http://127.0.0.1:${port}`, server };
  [stack, browser] = await Promise.all([
    startStack({ allowedOrigins: site.url }),
    chromium.launch({
      executablePath: chromiumPath(),
      args: LAUNCH_ARGS,
      // Playwright turns the cache off.
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
    }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  site?.server.close();
  await stack?.stop();
});

beforeEach(() => stack.empty());

test('one more script tag tracks each page view: a load, a navigation and a return', async () => {
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));

  await page.goto(`${site.url}/shelf?ref=mail&page=2&token=x`, { waitUntil: 'load' });
  await page.evaluate(() => {
    history.pushState(null, '', '/cart?token=x');
    document.title = 'The cart';
  });
  // What is under way as a page is left may keep it out of the cache.
  await page.evaluate('webengageRelay.flush()');
  await page.goto(`${site.url}/thanks`, { waitUntil: 'load' });
  await page.evaluate('webengageRelay.flush()');
  await page.evaluate(() => history.back());
  await expect.poll(() => page.evaluate(() => location.pathname)).toBe('/cart');
  await page.evaluate('webengageRelay.flush()');

  const events = await eventsReceived(stack, 4);
  const at = (path: string) => site.url + path;
  expect(events.map(({ eventName }) => eventName)).toEqual(Array(4).fill('Page Viewed'));
  expect(events.map(({ eventData }) => eventData)).toEqual([
    { URL: at('/shelf?page=2'), Path: '/shelf', Title: '/shelf', ref: 'mail' },
    { URL: at('/cart'), Path: '/cart', Title: 'The cart', Referrer: at('/shelf?page=2') },
    { URL: at('/thanks'), Path: '/thanks', Title: '/thanks' },
    // With its first title if the browser has loaded it anew: short of memory, it keeps no page.
    { URL: at('/cart'), Path: '/cart', Title: expect.stringMatching(/^(The cart|\/cart)$/) },
  ]);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a prerendered page counts when the visitor comes to it, and not before', async () => {
  // Under Playwright's eyes nothing is loaded ahead.
  const other = await puppeteer.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });
  const page = await other.newPage();
  await page.goto(`${site.url}/shelf`, { waitUntil: 'load' });
  await page.evaluate('webengageRelay.flush()');
  await eventsReceived(stack, 1);
  await page.evaluate(() => {
    const rules = document.createElement('script');
    rules.type = 'speculationrules';
    rules.textContent = JSON.stringify({ prerender: [{ urls: ['/ahead'], eagerness: 'immediate' }] });
    document.head.append(rules);
  });
  await expect.poll(() => started, { timeout: 10_000 }).toContain('/started/ahead?prerendering');
  const before = (await stack.received()).events;

  await page.evaluate(() => location.assign('/ahead')).catch(() => {});
  const events = await eventsReceived(stack, 2);

  expect(before).toHaveLength(1);
  expect(events[1]?.eventData).toMatchObject({ Path: '/ahead', Referrer: `${site.url}/shelf` });
  expect(started.filter((path) => path.startsWith('/started/ahead'))).toHaveLength(1);
  await other.close();
});

test('without the stub, and before the tracker, the script says what is missing', async () => {
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));

  await page.goto(`${site.url}/bare`, { waitUntil: 'load' });

  expect(errors).toEqual(['page-views.js must come after the line that queues calls']);
  await page.context().close();
});
