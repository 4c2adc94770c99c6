import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalWorker, startWorker } from '../../../src/cli/dev/local-worker.ts';
import { sample } from '../../samples/samples.ts';
import { freePort } from '../free-port.ts';
import { type Installed, installPackage } from '../installed.ts';
import { eventsReceived } from '../received.ts';
import { type Stack, startStack } from '../stack.ts';

// docs/guides/sending-from-a-worker.md, as it is: two Workers, each with its wrangler.jsonc.

let installed: Installed;
let stack: Stack;
let shop: LocalWorker;

beforeAll(async () => {
  installed = await installPackage();
  const relay = sample('docs/guides/sending-from-a-worker.md#set-up jsonc');
  const caller = sample('docs/guides/sending-from-a-worker.md#set-up jsonc 2');
  await installed.write('relay/src/worker.js', sample('docs/guides/sending-from-a-worker.md#set-up js').text);
  await installed.write('relay/wrangler.jsonc', relay.text);
  await installed.write('shop/shop.ts', sample('docs/guides/sending-from-a-worker.md#calls ts').text);
  await installed.write('shop/wrangler.jsonc', caller.text);
  const relayConfig = join(installed.folder, 'relay/wrangler.jsonc');
  stack = await startStack({ allowedOrigins: '*', lingerMs: 100, relayConfig });
  shop = await startWorker({
    config: join(installed.folder, 'shop/wrangler.jsonc'),
    port: await freePort(),
    vars: {},
    persistTo: stack.relayStorage,
  });
});

afterAll(async () => {
  await shop?.stop();
  await stack?.stop();
  await installed?.remove();
});

test('three deliveries of a webhook to another Worker are one event at WebEngage', async () => {
  const order = JSON.stringify({ id: 'order-1', customer: 'janedoe', total: 39.8 });

  for (let delivery = 0; delivery < 3; delivery++)
    expect((await fetch(shop.url, { method: 'POST', body: order })).status).toBe(204);

  expect(await eventsReceived(stack, 1)).toMatchObject([
    { userId: 'janedoe', eventName: 'Order Paid', eventData: { Total: 39.8 } },
  ]);
  expect((await stack.received()).events).toHaveLength(1);
});
