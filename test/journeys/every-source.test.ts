import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalWorker, startWorker } from '../../src/cli/dev/local-worker.ts';
import type { Tracker } from '../../src/tracker/tracker.ts';
import { chromiumPath, LAUNCH_ARGS } from '../chromium.ts';
import { sample } from '../samples/samples.ts';
import { freePort } from './free-port.ts';
import { type Installed, installPackage } from './installed.ts';
import { startProxy } from './proxy.ts';
import { type Stack, startStack } from './stack.ts';

declare global {
  var webengageRelay: Tracker;
}

const ORDERS_TOKEN = 'an-orders-token-of-enough-characters';
const CRM_TOKEN = 'a-crm-token-that-is-long-enough-as-well';
const IMPORTED = 10_000;

const run = promisify(execFile);

let stack: Stack;
let installed: Installed;
let shipping: LocalWorker;
let browser: Browser;

beforeAll(async () => {
  installed = await installPackage();
  const relay = sample('docs/guides/sending-from-a-worker.md#set-up jsonc');
  const caller = sample('docs/guides/sending-from-a-worker.md#set-up jsonc 2');
  await installed.write('relay/src/worker.js', sample('docs/guides/sending-from-a-worker.md#set-up js').text);
  await installed.write('relay/wrangler.jsonc', relay.text);
  await installed.write('shop/wrangler.jsonc', caller.text.replace('shop.ts', 'shipping.js'));
  await installed.write(
    'shop/shipping.js',
    `export default {
      async fetch(request, env) {
        const { customer, order } = await request.json();
        await env.RELAY.track({ userId: customer, eventName: 'Order Shipped', messageId: order + '-shipped' });
        return new Response(null, { status: 204 });
      },
    };`,
  );
  await installed.write(
    'webhook.js',
    `import { createServerClient } from 'webengage-relay/server';
    const relay = createServerClient({ endpoint: process.env.RELAY_URL, token: process.env.TOKEN, maxWaitMs: 0 });
    await relay.track({ userId: 'ada', eventName: 'Order Paid', eventData: { Total: 39.8 }, messageId: 'order-1-paid' });
    await relay.close();`,
  );
  stack = await startStack({
    lingerMs: 100,
    relayConfig: join(installed.folder, 'relay/wrangler.jsonc'),
    settings: { SERVER_TOKENS: `orders=${ORDERS_TOKEN},crm=${CRM_TOKEN}` },
  });
  [shipping, browser] = await Promise.all([
    startWorker({
      config: join(installed.folder, 'shop/wrangler.jsonc'),
      port: await freePort(),
      vars: {},
      persistTo: stack.relayStorage,
    }),
    chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await shipping?.stop();
  await stack?.stop();
  await installed?.remove();
});

type Ended = { readonly code: number | null; readonly said: string };

/** A run of the import command. `begun` gets its process. */
async function importUsers(
  file: string,
  relayUrl: string,
  begun: (child: ChildProcess) => void,
): Promise<Ended> {
  const child = execFile(
    process.execPath,
    [
      join(installed.folder, 'node_modules/webengage-relay/dist/bin.js'),
      ...['import', file, '--kind', 'users', '--relay', relayUrl, '--token-env', 'TOKEN'],
    ],
    { env: { ...process.env, TOKEN: CRM_TOKEN } },
  );
  begun(child);
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  return { code, said };
}

/** Imports a file. The first process is killed after some requests, and a second one goes on. */
async function importTwice(file: string): Promise<void> {
  let first: ChildProcess | undefined;
  const proxy = await startProxy(stack.relayUrl, 8, () => first?.kill('SIGKILL'));
  const killed = await importUsers(file, proxy.url, (child) => {
    first = child;
  });
  expect(killed).toMatchObject({ code: null });
  expect(await importUsers(file, proxy.url, () => {})).toMatchObject({ code: 0 });
  proxy.close();
}

/** The same webhook, delivered three times to a backend, and three times to another Worker. */
async function deliverWebhooks(): Promise<void> {
  const env = { ...process.env, RELAY_URL: stack.relayUrl, TOKEN: ORDERS_TOKEN };
  const shipped = JSON.stringify({ customer: 'ada', order: 'order-1' });
  const deliveries = [1, 2, 3].flatMap(() => [
    run(process.execPath, ['webhook.js'], { cwd: installed.folder, env }),
    fetch(shipping.url, { method: 'POST', body: shipped }).then(({ status }) => expect(status).toBe(204)),
  ]);
  await Promise.all(deliveries);
}

test('a page, a backend, another Worker and a file reach WebEngage once each, and nobody waits for the file', async () => {
  const file = join(installed.folder, 'users.csv');
  const ids = Array.from({ length: IMPORTED }, (_, n) => `customer-${n}`);
  await writeFile(file, ['User ID,E-mail', ...ids.map((id) => `${id},${id}@example.com`), ''].join('\n'));

  await importTwice(file);
  const queuedBefore = await stack.backlog();
  const page = await browser.newPage();
  await page.goto(stack.siteUrl, { waitUntil: 'load' });
  await page.evaluate(async () => {
    await webengageRelay.identify('ada', { firstName: 'Ada' });
    for (const n of [1, 2, 3]) await webengageRelay.track('Viewed', { n });
    await webengageRelay.flush();
  });
  await deliverWebhooks();
  const eventsOf = async (name: string) =>
    (await stack.received()).events.filter(({ eventName }) => eventName === name);
  const quick = { timeout: 30_000, interval: 250 };
  await expect.poll(() => eventsOf('Viewed'), quick).toHaveLength(3);
  await expect.poll(() => eventsOf('Order Paid'), quick).toHaveLength(1);
  await expect.poll(() => eventsOf('Order Shipped'), quick).toHaveLength(1);
  const queuedAfter = await stack.backlog();

  // They overtook most of the file.
  expect(queuedBefore).toBeGreaterThan(IMPORTED / 2);
  expect(queuedAfter).toBeGreaterThan(queuedBefore / 4);

  await expect.poll(stack.backlog, { timeout: 120_000, interval: 1_000 }).toBe(0);
  const { users, events } = await stack.received();
  const arrived = users.map(({ userId }) => userId);
  expect(arrived.filter((id) => id !== 'ada').toSorted()).toEqual(ids.toSorted());
  expect(arrived.filter((id) => id === 'ada')).toHaveLength(1);
  expect(events.map(({ userId }) => userId)).toEqual(Array(5).fill('ada'));
  const viewed = events.filter(({ eventName }) => eventName === 'Viewed');
  expect(viewed.map(({ eventData }) => eventData?.n)).toEqual([1, 2, 3]);
  expect(events.map(({ eventName }) => eventName).toSorted()).toEqual([
    'Order Paid',
    'Order Shipped',
    'Viewed',
    'Viewed',
    'Viewed',
  ]);
}, 300_000);
