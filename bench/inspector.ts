import { createServer } from 'node:http';
import { chromium, type Page } from 'playwright-core';
import { chromiumPath, LAUNCH_ARGS } from '../test/chromium.ts';
import { freePort } from '../test/journeys/free-port.ts';
import { startStack } from '../test/journeys/stack.ts';

// Takes the picture of the inspector for docs/guides/inspector.md: a page, the relay and the sandbox run on this
// machine, two batches arrive, and then the page loses its network.

const PICTURE = 'docs/images/inspector.png';

/** As wide as the text of the guide, so with two columns. Sharp on dense screens too. */
const WIDTH_PX = 700;
const DESKTOP = { viewport: { width: 1_280, height: 1_024 }, deviceScaleFactor: 2 };

type Calls = readonly (readonly [method: 'identify' | 'track', ...given: unknown[]])[];

const SHOPPING: Calls = [
  ['identify', 'ada', { firstName: 'Ada', attributes: { Plan: 'Premium' } }],
  ['track', 'Page Viewed', { Path: '/' }],
  ['track', 'Price Seen', { 'Product ID': 1337, Price: 39.8 }],
  ['track', 'Price Seen', { 'Product ID': 1338, Price: '12,50' }],
  ['track', 'Price Seen', { 'Product ID': 1339, Price: '9,90' }],
  ['track', 'Added to Cart', { 'Product ID': 1337, Price: 39.8 }],
];

const REVIEWS: Calls = [
  ['track', 'Review Written', { Stars: 5, Text: 'Does not leak. '.repeat(80) }],
  ['track', 'Review Written', { Stars: Number.NaN, Text: 'Never arrived.' }],
  ['track', 'Page Viewed', { Path: '/thanks' }],
];

const OFFLINE: Calls = [
  ['track', 'Review Written', { Stars: 4, Text: 'Holds my tea. '.repeat(70) }],
  ['track', 'Added to Cart', { 'Product ID': 1338, Price: 12.5 }],
  ['track', 'Added to Cart', { 'Product ID': 1339, Price: 9.9 }],
  ['track', 'Checkout Completed', { Total: 62.2, Items: ['Mug', 'Saucer', 'Spoon'], 'Gift Card': false }],
];

/** Makes these calls in one task, then flushes. */
async function call(page: Page, calls: Calls): Promise<void> {
  await page.evaluate(async (made) => {
    const { webengageRelay } = globalThis as unknown as {
      readonly webengageRelay: Record<string, (...given: unknown[]) => Promise<unknown>>;
    };
    for (const [method, ...given] of made) void webengageRelay[method]?.(...given);
    await webengageRelay.flush?.();
  }, calls);
}

/** A page with the tracker and its checks, which report type drift, and with the inspector. */
const site = (relayUrl: string) => `<!doctype html><meta charset="utf-8"><title>A site</title>
  <relay-inspector open style="width: ${WIDTH_PX}px"></relay-inspector>
  <script src="${relayUrl}/tracker.full.js" data-consent="granted"></script>
  <script src="${relayUrl}/inspector.js"></script>`;

const port = await freePort();
const siteUrl = `http://127.0.0.1:${port}`;
const stack = await startStack({ allowedOrigins: siteUrl });
const server = createServer((_, response) => {
  response.setHeader('Content-Type', 'text/html').end(site(stack.relayUrl));
}).listen(port, '127.0.0.1');
const browser = await chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS });
try {
  const page = await browser.newPage({ ...DESKTOP, colorScheme: 'light', timezoneId: 'UTC' });
  await page.goto(siteUrl);
  await call(page, SHOPPING);
  await call(page, REVIEWS);
  await page.route('**/v1/batch', (route) => route.abort());
  await call(page, OFFLINE);
  const inspector = page.locator('relay-inspector');
  await inspector.getByText('×4').first().waitFor();
  await inspector.screenshot({ path: PICTURE });
} finally {
  await browser.close();
  server.close();
  await stack.stop();
}
console.log(`Taken: ${PICTURE}.`);
