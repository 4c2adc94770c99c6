import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Tracker } from '../../../src/tracker/tracker.ts';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { siteKey, token } from '../../fakes/tokens.ts';
import { eventsReceived } from '../received.ts';
import { type Stack, startStack } from '../stack.ts';

declare global {
  var webengageRelay: Tracker;
}

let stack: Stack;
let browser: Browser;
let context: BrowserContext;
/** How the site's server makes tokens just now, and for whom it was asked. */
let makeToken: (userId: string) => Promise<string>;
let good: typeof makeToken;
let expired: typeof makeToken;
const asked: string[] = [];

beforeAll(async () => {
  const key = await siteKey();
  const now = () => Math.floor(Date.now() / 1000);
  good = (userId) => token(key.privateKey, { cuid: userId, iat: now(), exp: now() + 900 });
  expired = (userId) => token(key.privateKey, { cuid: userId, iat: now() - 1_900, exp: now() - 1_000 });
  const identity = {
    key: key.pem,
    token: (userId: string) => {
      asked.push(userId);
      return makeToken(userId);
    },
  };
  [stack, browser] = await Promise.all([
    startStack({ identity }),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

beforeEach(async () => {
  await stack.empty();
  makeToken = good;
  asked.length = 0;
  context = await browser.newContext();
});

afterEach(async () => {
  await context.close();
});

async function openSite(query = ''): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${stack.siteUrl}/${query}`, { waitUntil: 'load' });
  return page;
}

const whoDidWhat = (events: Awaited<ReturnType<typeof eventsReceived>>) =>
  events.map(({ userId, eventName }) => `${userId ?? 'anonymous'} ${eventName}`);

test('a signed-in visitor’s records arrive with a token, even if the page is left at once and the visitor signs out', async () => {
  const page = await openSite();
  await page.evaluate(async () => {
    await webengageRelay.track('Viewed');
    await webengageRelay.identify('johndoe');
    await webengageRelay.track('Bought');
    await webengageRelay.flush();
    void webengageRelay.track('Signed Out');
    webengageRelay.reset();
    await webengageRelay.track('Viewed Again');
  });
  await page.close({ runBeforeUnload: false });
  const events = await eventsReceived(stack, 4);

  expect(whoDidWhat(events).sort()).toEqual(
    ['anonymous Viewed', 'johndoe Bought', 'johndoe Signed Out', 'anonymous Viewed Again'].sort(),
  );
  expect(asked).toEqual(['johndoe']);
});

test('a site without tokens, then with expired ones, then with good ones: only that user’s records wait', async () => {
  const refusals: unknown[] = [];
  const page = await openSite();
  await page.exposeFunction('refused', (reason: string) => refusals.push(reason));
  makeToken = () => Promise.reject(new Error('500'));
  const refused = await page.evaluate(async () => {
    webengageRelay.on('retrying', ({ reason }) =>
      (globalThis as never as { refused: (_: string) => void }).refused(reason),
    );
    await webengageRelay.identify('johndoe', { email: 'john@doe.com' });
    await webengageRelay.track('Bought');
    webengageRelay.reset();
    await webengageRelay.track('Viewed');
    await webengageRelay.identify('johndoe');
    return webengageRelay.flush();
  });
  expect(whoDidWhat(await eventsReceived(stack, 1))).toEqual(['anonymous Viewed']);
  expect(refused).toMatchObject({ settled: false, reason: 'token_required' });
  await expect.poll(() => refusals).toEqual(['token_required']);

  makeToken = expired;
  await page.reload();
  const expiredToo = await page.evaluate(async () => {
    await webengageRelay.track('Bought More');
    return webengageRelay.flush();
  });
  expect(expiredToo).toMatchObject({ settled: false, reason: 'token_required' });
  // Another is asked for at once, and only once.
  expect(asked).toHaveLength(1 + 2);

  makeToken = good;
  await page.reload();
  const end = await page.evaluate(() => webengageRelay.flush());
  expect(end).toEqual({ settled: true });
  expect(whoDidWhat(await eventsReceived(stack, 3))).toEqual([
    'anonymous Viewed',
    'johndoe Bought',
    'johndoe Bought More',
  ]);
  expect((await stack.received()).users[0]).toMatchObject({ userId: 'johndoe', email: 'john@doe.com' });
});

test('on a shared computer the records of an earlier user wait for that user and delay no one', async () => {
  makeToken = () => Promise.reject(new Error('500'));
  const page = await openSite();
  await page.evaluate(async () => {
    await webengageRelay.identify('ann');
    await webengageRelay.track('Ann’s');
    webengageRelay.reset();
    await webengageRelay.track('Nobody’s');
  });
  makeToken = good;
  await page.reload();
  await page.evaluate(async () => {
    await webengageRelay.identify('bob');
    await webengageRelay.track('Bob’s');
    await webengageRelay.flush();
  });
  expect(whoDidWhat(await eventsReceived(stack, 2))).toEqual(['anonymous Nobody’s', 'bob Bob’s']);
  expect(asked).toEqual(['ann', 'bob']);

  await page.evaluate(async () => {
    webengageRelay.reset();
    await webengageRelay.identify('ann');
    await webengageRelay.flush();
  });
  expect(whoDidWhat(await eventsReceived(stack, 3)).at(-1)).toBe('ann Ann’s');
});

test('a visitor who opts out before the script has loaded is not tracked, now or later', async () => {
  await context.addInitScript(() => {
    addEventListener('DOMContentLoaded', () => {
      void webengageRelay.track('Viewed');
      void webengageRelay.optOut();
    });
  });
  const page = await openSite();
  await page.evaluate(async () => {
    await webengageRelay.track('Viewed More');
    await webengageRelay.flush();
  });
  await page.reload();
  await page.evaluate(() => webengageRelay.flush());

  expect((await stack.received()).events).toEqual([]);
  expect(await page.evaluate(() => Object.entries(localStorage))).toEqual([
    [`webengage-relay:${stack.relayUrl}?choices`, '1'],
  ]);
});
