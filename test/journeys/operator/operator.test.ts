import { randomBytes, randomUUID } from 'node:crypto';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { eventsReceived } from '../received.ts';
import { type Stack, startStack } from '../stack.ts';

let stack: Stack;
let browser: Browser;

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
});

/** What the tracker would send, without a page. Sent until it is answered for. */
async function send(names: readonly string[], from = 1): Promise<void> {
  const session = randomBytes(16).toString('base64url');
  const records = names.map((eventName, index) => ({
    kind: 'event',
    id: `${session}.${index + 1}`,
    userId: 'somebody',
    eventName,
    eventData: { n: from + index },
  }));
  const body = JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device: randomUUID(), records });
  await expect
    .poll(
      () =>
        fetch(`${stack.relayUrl}/v1/batch`, {
          method: 'POST',
          body,
          headers: { Origin: stack.siteUrl },
        }).then(
          async (answer) => {
            await answer.text();
            return answer.status;
          },
          () => 0,
        ),
      { timeout: 30_000, interval: 100 },
    )
    .toBe(202);
}

/** @param complaints gets what the browser finds fault with: errors, and what the page's policy stops */
async function openAdminPage(token = stack.adminToken, complaints: string[] = []): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(`${stack.relayUrl}/admin/`);
  await page.getByLabel('operator’s token').fill(token);
  await page.getByRole('button', { name: 'Open' }).click();
  return page;
}

test('the operator sees what WebEngage refused, safely displayed, fixes the cause and replays it', async () => {
  const hostile = '<img src=x onerror=alert(1)>';
  await stack.order({ refuse: { field: 'eventName', value: hostile } });
  await send(['Good', hostile, 'Good']);
  expect((await eventsReceived(stack, 2)).map(({ eventName }) => eventName)).toEqual(['Good', 'Good']);

  const page = await openAdminPage();
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => dialogs.push(dialog.message()));
  const deadLetters = page.locator('#dead-letter-list > li');
  await deadLetters.first().waitFor();
  expect(await deadLetters.count()).toBe(1);
  expect(await deadLetters.first().innerText()).toContain(hostile);

  await stack.order({});
  await deadLetters
    .first()
    .getByRole('button', { name: /^replay/i })
    .click();

  expect((await eventsReceived(stack, 3)).map(({ eventName }) => eventName)).toContain(hostile);
  await expect.poll(() => deadLetters.count()).toBe(0);
  expect(dialogs).toEqual([]);
  await page.context().close();
});

test('the page runs under its own policy, and draws the last hour', async () => {
  await send(['Seen']);
  await eventsReceived(stack, 1);
  const complaints: string[] = [];

  const page = await openAdminPage(stack.adminToken, complaints);

  const plot = page.getByRole('img', { name: /^Calls in each of the last 60 minutes: at most [1-9]/ });
  await plot.waitFor({ timeout: 30_000 });
  // Taken calls are green.
  const isDrawn = () =>
    plot.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data = [] } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
      return Array.from(data).some(
        (green, at) => at % 4 === 1 && green > (data[at - 1] ?? 0) + 20 && green > (data[at + 1] ?? 0) + 20,
      );
    });
  await expect.poll(isDrawn, { timeout: 20_000 }).toBe(true);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('a wrong token is refused and gives access to nothing', async () => {
  const page = await openAdminPage('a-token-that-is-not-the-operators-own');

  await expect.poll(() => page.locator('#refused').innerText()).not.toBe('');
  expect(await page.locator('#figures').isVisible()).toBe(false);
  await page.context().close();
});

test('a key that is revoked loses nothing: /health reports it, and sending resumes once it is back', async () => {
  const health = async () => (await fetch(`${stack.relayUrl}/health`)).status;
  await stack.order({ acceptKeys: [] });
  await send(['Kept']);
  await expect.poll(health, { timeout: 20_000 }).toBe(503);
  await send(['Kept too'], 2);

  await stack.order({});

  // One call a minute tries again.
  expect(await eventsReceived(stack, 2, 100_000)).toHaveLength(2);
  await expect.poll(health, { timeout: 20_000 }).toBe(200);
}, 150_000);

test('a relay killed repeatedly, while records arrive and WebEngage fails, loses none and doubles none', async () => {
  await stack.order({
    faults: [
      { fault: 500, chance: 0.1 },
      { fault: 503, faultAt: 'after', chance: 0.1 },
    ],
  });
  const sent = 30 * 25;
  const sending = (async () => {
    for (let flush = 0; flush < 30; flush++) await send(Array(25).fill('Clicked'), flush * 25 + 1);
  })();
  for (let kill = 0; kill < 4; kill++) {
    await expect
      .poll(async () => (await stack.calls()).length, { timeout: 60_000 })
      .toBeGreaterThanOrEqual(2 + kill * 5);
    await stack.stopRelay();
    await stack.startRelay();
  }
  await sending;

  const events = await eventsReceived(stack, sent, 100_000);
  const numbers = events.map(({ eventData }) => Number(eventData?.n));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, n) => n + 1));
}, 240_000);
