import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Profiles } from '../../../src/sandbox/sdk/profiles.ts';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { README_STUB } from '../../readme-stub.ts';
import { serveSite } from '../site.ts';
import { type Stack, startStack } from '../stack.ts';

// A real page with both scripts, and the SDK that the sandbox simulates. Real time passes: the id, the login and the relay wait.

let stack: Stack;
let browser: Browser;
let site: { readonly url: string; readonly stop: () => void };

/** WebEngage's stub, as far as it is called here. */
const SDK_STUB = `<script>webengage = { __queue: [], user: {} };
  for (const path of ['onReady', 'track', 'user.login', 'user.logout']) {
    const [first, second] = path.split('.');
    (second ? webengage[first] : webengage)[second || first] = (...args) => webengage.__queue.push([path, args]);
  }</script>`;

const pageOf = (path: string) => `<!doctype html><title>${path}</title><link rel="icon" href="data:,">
  ${README_STUB}${SDK_STUB}
  ${path === '/blocked' ? '' : `<script async src="${stack.sandboxUrl}/sdk.js"></script>`}
  <script async src="${stack.relayUrl}/tracker.full.js" data-anonymous-id-cookie="we_luid" data-max-wait-ms="500"></script>
  <script async src="${stack.relayUrl}/webengage.js" data-forward="Cart Opened" data-wait="8000"></script>
  <script>webengageRelay.track('Page Viewed', { Path: '${path}' })</script>`;

beforeAll(async () => {
  site = await serveSite((path) => ({ type: 'text/html', body: pageOf(path) }));
  [stack, browser] = await Promise.all([
    startStack({ allowedOrigins: site.url }),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  site?.stop();
  await stack?.stop();
});

beforeEach(async () => {
  await stack.empty();
  await stack.order({});
});

async function visit(path: string) {
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  await page.goto(site.url + path, { waitUntil: 'load' });
  return { page, errors };
}

const profiles = async (): Promise<Profiles> => (await fetch(`${stack.sandboxUrl}/profiles`)).json();

/** The events of each person: of users by their ids, and of all anonymous visitors. */
async function people(): Promise<Readonly<Record<string, readonly string[]>>> {
  const found: Record<string, string[]> = {};
  for (const { userId = 'anonymous', events } of (await profiles()).profiles)
    for (const { eventName, from } of events) {
      found[userId] ??= [];
      found[userId]?.push(`${eventName} ${from}`);
    }
  for (const names of Object.values(found)) names.sort();
  return found;
}

const call = (page: Page, code: string) => page.evaluate(`void webengageRelay.${code}`);

test('anonymous records become the user’s, in one profile, and a reset begins another one', async () => {
  // Where it would hurt if a record came after the login.
  await stack.order({ anonymousAfter: 'lost' });
  const { page, errors } = await visit('/shelf');
  await call(page, `track('Cart Opened', { Items: 1 })`);
  await expect
    .poll(people, { timeout: 40_000 })
    .toMatchObject({ anonymous: expect.arrayContaining(['Cart Opened sdk']) });
  await page.goto(`${site.url}/checkout`, { waitUntil: 'load' });

  await call(page, `identify('ada')`);
  await expect
    .poll(people, { timeout: 40_000 })
    .toEqual({ ada: ['Cart Opened sdk', 'Page Viewed rest', 'Page Viewed rest'] });

  await call(page, 'reset()');
  await call(page, `track('Browsed')`);
  await call(page, 'flush()');
  await expect.poll(people, { timeout: 40_000 }).toEqual({
    ada: ['Cart Opened sdk', 'Page Viewed rest', 'Page Viewed rest'],
    anonymous: ['Browsed rest'],
  });
  const luid = /we_luid=([^;]+)/.exec(await page.evaluate(() => document.cookie))?.[1];
  expect((await profiles()).profiles.map(({ anonymousId }) => anonymousId)).toContain(luid);
  expect((await profiles()).lost).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a page whose SDK is blocked loses nothing: forwarded events go to the relay', async () => {
  const { page, errors } = await visit('/blocked');
  await call(page, `track('Cart Opened', { Items: 1 })`);
  await call(page, `identify('bob')`);

  await expect
    .poll(async () => (await stack.received()).events.map(({ eventName }) => eventName).sort(), {
      timeout: 40_000,
    })
    .toEqual(['Cart Opened', 'Page Viewed']);
  expect(errors).toEqual([]);
  await page.context().close();
});
