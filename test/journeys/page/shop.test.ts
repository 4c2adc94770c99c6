import type { Server } from 'node:http';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startShop } from '../../../demo/shop-server.ts';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { freePort } from '../free-port.ts';
import { type Stack, startStack } from '../stack.ts';

// What `npm run demo` shows.

let stack: Stack;
let browser: Browser;
let shop: { readonly url: string; readonly server: Server };

beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  [stack, browser] = await Promise.all([
    startStack({ allowedOrigins: url }),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
  ]);
  shop = { url, server: await startShop({ port, ...stack }) };
});

afterAll(async () => {
  await browser?.close();
  shop?.server.close();
  await stack?.stop();
});

const count = (page: Page, name: string) => page.locator(`[data-count="${name}"]`).innerText();

test('the shop counts its calls at both ends, and its inspector shows their outcomes', async () => {
  const page = await (await browser.newContext()).newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  await page.goto(shop.url, { waitUntil: 'load' });
  const inspector = page.locator('relay-inspector .box');

  await page.click('#offline');
  await page.getByRole('button', { name: 'Add Harbour mug to the cart' }).click();
  await page.click('#bad-data');

  await expect.poll(() => inspector.innerText(), { timeout: 20_000 }).toMatch(/retrying\s+again in \d+ s/);
  const seen = await inspector.innerText();
  expect(seen).toContain('eventData.Stars must be');
  expect(seen).toMatch(/network: the page got no answer from the relay/);
  expect(seen).toMatch(/Added to Cart\s+track/);
  // What it waits for now and again is its turn.
  await expect
    .poll(() => page.locator('[data-station="buffer"]').innerText(), { timeout: 20_000 })
    .toMatch(/[23] waiting[\s\S]*is kept: next try/);

  await page.click('#offline');

  await expect
    .poll(() => page.locator('.headline').innerText(), { timeout: 60_000 })
    .toBe('Nothing lost, nothing doubled');
  await expect.poll(() => count(page, 'arrived'), { timeout: 60_000 }).toBe('3');
  expect([await count(page, 'made'), await count(page, 'lost'), await count(page, 'doubled')]).toEqual([
    '3',
    '0',
    '0',
  ]);
  await expect.poll(() => inspector.innerText()).toMatch(/waiting\s+0\s+delivered\s+3\s/);
  expect(complaints).toEqual([]);
  await page.context().close();
}, 150_000);
