import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { integrityOf } from '../../../src/cli/doctor/probe.ts';
import { scriptTag } from '../../../src/cli/script-tag.ts';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { sample } from '../../samples/samples.ts';
import { freePort } from '../free-port.ts';
import { eventsReceived } from '../received.ts';
import { type Stack, startStack } from '../stack.ts';

let stack: Stack;
let browser: Browser;
let site: { readonly url: string; readonly server: Server };
let page: { headers: Record<string, string>; body: string };

beforeAll(async () => {
  const port = await freePort();
  const server = createServer((_, response) =>
    response.writeHead(200, { 'Content-Type': 'text/html', ...page.headers }).end(page.body),
  ).listen(port, '127.0.0.1');
  await once(server, 'listening');
  site = { url: `http://127.0.0.1:${port}`, server };
  [stack, browser] = await Promise.all([
    startStack({ allowedOrigins: site.url }),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  site?.server.close();
  await stack?.stop();
});

beforeEach(() => stack.empty());

/** Opens the page, tracks in it, and answers with what the browser would not let it do. */
async function trackIn(html: string, headers: Record<string, string> = {}): Promise<readonly string[]> {
  page = { headers, body: `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${html}` };
  const tab = await (await browser.newContext()).newPage();
  const refused: string[] = [];
  tab.on('console', (message) => {
    if (message.type() === 'error') refused.push(message.text());
  });
  await tab.goto(site.url);
  await tab.evaluate(`webengageRelay.track('Seen')`);
  await tab.evaluate(`webengageRelay.flush()`);
  await tab.context().close();
  return refused;
}

test('a page with the CSP from docs/guides/deploying.md loads the tracker, and its events arrive', async () => {
  const header = sample('docs/guides/deploying.md#the-sites-csp http').text;
  const [, policy = ''] = /^Content-Security-Policy: (.*)\n$/.exec(header) ?? [];
  const csp = `default-src 'none'; img-src data:; ${policy.replaceAll('https://t.example.com', stack.relayUrl)}`;

  const refused = await trackIn(scriptTag(stack.relayUrl), { 'Content-Security-Policy': csp });

  expect(refused).toEqual([]);
  expect(await eventsReceived(stack, 1)).toHaveLength(1);
});

test('a page that pins the script by its integrity loads it from the relay', async () => {
  const integrity = integrityOf(await readFile('dist/tracker.js'));
  const pinned = scriptTag(stack.relayUrl).replace('async', `async crossorigin integrity="${integrity}"`);

  const refused = await trackIn(pinned);

  expect(refused).toEqual([]);
  expect(await eventsReceived(stack, 1)).toHaveLength(1);
});
