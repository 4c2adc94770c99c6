import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { README_STUB } from '../../readme-stub.ts';
import { eventsReceived } from '../received.ts';
import { type Answered, serveSite } from '../site.ts';
import { type Stack, startStack } from '../stack.ts';

// The script as sites load it: from the relay, which is another origin than theirs.

let site: Awaited<ReturnType<typeof serveSite>>;
let shown: Answered;
let stack: Stack;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  site = await serveSite((path) => (path === '/' ? shown : undefined));
  [stack, browser] = await Promise.all([
    startStack({ allowedOrigins: site.url, lingerMs: 100 }),
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
});

afterEach(async () => {
  await context.close();
});

const { url: pinnedPath, integrity } = JSON.parse(await readFile('dist/integrity.json', 'utf8'));

/** A page of the site, with what its console, its errors and its policy have said. */
async function openPage(body: string, policy = '') {
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ name, message }) => errors.push(`${name}: ${message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && message.text().startsWith('webengage-relay'))
      errors.push(`console: ${message.text()}`);
  });
  await page.addInitScript(() => {
    const violations: string[] = [];
    Object.assign(globalThis, { violations });
    addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
      violations.push(`${effectiveDirective} ${blockedURI}`),
    );
  });
  shown = {
    type: 'text/html',
    body: `<!doctype html><link rel="icon" href="data:,"><title>A page</title>${body}`,
    ...(policy && { headers: { 'Content-Security-Policy': policy } }),
  };
  await page.goto(site.url, { waitUntil: 'load' });
  return { page, errors, violations: () => page.evaluate<string[]>('violations') };
}

const track = (page: Page, eventName: string) =>
  page.evaluate((name) => webengageRelay.track(name).then(() => 'kept', String), eventName);

describe('the script’s two URLs', () => {
  const headersOf = async (path: string, sent: Record<string, string> = {}) => {
    const response = await fetch(`${stack.relayUrl}${path}`, {
      headers: { Origin: 'https://any.example.com', ...sent },
    });
    const headers = Object.fromEntries(response.headers);
    return { status: response.status, headers, text: await response.text() };
  };

  test('the short one is revalidated after minutes, and sent again only if it has changed', async () => {
    const first = await headersOf('/tracker.js');

    expect(first).toMatchObject({
      status: 200,
      headers: {
        'content-type': expect.stringContaining('text/javascript'),
        'cache-control': 'public, max-age=300, stale-while-revalidate=86400',
        'access-control-allow-origin': '*',
        'cross-origin-resource-policy': 'cross-origin',
        etag: expect.stringMatching(/^(W\/)?".+"$/),
      },
    });
    expect(await headersOf('/tracker.js', { 'If-None-Match': first.headers.etag ?? '' })).toMatchObject({
      status: 304,
      text: '',
    });
  });

  test('the one with the hash may be cached forever, and has these bytes', async () => {
    const { status, headers, text } = await headersOf(pinnedPath);

    expect({ status, headers }).toMatchObject({
      status: 200,
      headers: {
        'content-type': expect.stringContaining('text/javascript'),
        'cache-control': 'public, max-age=31536000, immutable',
        'access-control-allow-origin': '*',
        'cross-origin-resource-policy': 'cross-origin',
        'x-content-type-options': 'nosniff',
      },
    });
    expect(`sha384-${createHash('sha384').update(text).digest('base64')}`).toBe(integrity);
  });

  test('the one of another version is missing, and that answer is not cached', async () => {
    const { status, headers } = await headersOf('/tracker.000000000000.js');

    expect(status).toBe(404);
    expect(headers['cache-control'] ?? '').not.toContain('immutable');
  });
});

describe('a script pinned by its hash', () => {
  const scriptTag = (hash: string) =>
    `<script async src="${stack.relayUrl}${pinnedPath}" integrity="${hash}" crossorigin="anonymous" data-max-wait-ms="100"></script>`;

  test('runs if its bytes match', async () => {
    const { page, errors } = await openPage(README_STUB + scriptTag(integrity));

    expect(await track(page, 'Pinned')).toBe('kept');
    expect(await eventsReceived(stack, 1)).toMatchObject([{ eventName: 'Pinned' }]);
    expect(errors).toEqual([]);
  });

  test('does not run otherwise: calls queue, and nothing throws', async () => {
    const other = `sha384-${createHash('sha384').update('other bytes').digest('base64')}`;
    const refused = scriptTag(other).replace('<script ', '<script onerror="isRefused = true" ');
    const { page, errors } = await openPage(README_STUB + refused);
    await page.waitForFunction('globalThis.isRefused');

    await page.evaluate(() => void webengageRelay.track('Unpinned'));

    expect(await page.evaluate('webengageRelay.queue.map(([method, call]) => [method, call])')).toEqual([
      ['track', ['Unpinned']],
    ]);
    expect(errors).toEqual([]);
  });
});

describe('under a policy with nonces and trusted types', () => {
  const NONCE = 'r4nd0m';
  const policyOf = (connect: string) =>
    `default-src 'none'; img-src data:; script-src 'nonce-${NONCE}'; connect-src ${connect}; require-trusted-types-for 'script'; trusted-types 'none'`;
  const withNonce = () =>
    README_STUB.replace('<script>', `<script nonce="${NONCE}">`) +
    `<script nonce="${NONCE}" async src="${stack.relayUrl}/tracker.js" data-max-wait-ms="100"></script>`;

  test('stub and script work and violate nothing', async () => {
    const { page, errors, violations } = await openPage(withNonce(), policyOf(stack.relayUrl));

    expect(await track(page, 'Under a policy')).toBe('kept');
    expect(await eventsReceived(stack, 1)).toMatchObject([{ eventName: 'Under a policy' }]);
    await page.evaluate(() => webengageRelay.flush());
    expect(await violations()).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('the relay must be in connect-src, and otherwise records stay and the policy reports it', async () => {
    const { page, violations } = await openPage(withNonce(), policyOf("'none'"));

    expect(await track(page, 'Not let out')).toBe('kept');
    expect(await page.evaluate(() => webengageRelay.flush())).toMatchObject({ reason: 'network' });
    expect(await violations()).toContain(`connect-src ${stack.relayUrl}/v1/batch`);
  });
});

describe('with an invalid option', () => {
  const scriptTag = () =>
    `<script async src="${stack.relayUrl}/tracker.js" data-batch-size="26" data-max-wait-ms="100"></script>`;

  test('the script reports it once and rejects all calls with it', async () => {
    const early = `<script>early = webengageRelay.track('Early').catch(String)</script>`;
    const { page, errors } = await openPage(README_STUB + early + scriptTag());
    const why = 'RangeError: batchSize must be from 1 to 25, not 26';

    expect(await page.evaluate('early')).toBe(why);
    expect(await track(page, 'Late')).toBe(why);
    expect(errors).toEqual([expect.stringContaining(`console: webengage-relay: ${why}`)]);
  });
});
