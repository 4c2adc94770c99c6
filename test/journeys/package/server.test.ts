import { execFile } from 'node:child_process';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorker } from '../../../src/cli/dev/local-worker.ts';
import { sample } from '../../samples/samples.ts';
import { freePort } from '../free-port.ts';
import { type Installed, installPackage } from '../installed.ts';
import { eventsReceived } from '../received.ts';
import { type Stack, startStack } from '../stack.ts';

const SERVER_TOKEN = 'a-server-token-of-enough-characters';

const run = promisify(execFile);

let stack: Stack;
let installed: Installed;

beforeAll(async () => {
  [stack, installed] = await Promise.all([
    startStack({ lingerMs: 100, settings: { SERVER_TOKEN } }),
    installPackage(),
  ]);
});

afterAll(async () => {
  await stack?.stop();
  await installed?.remove();
});

/** Runs a module in a Node process of a project that has the package installed. */
async function inProcess(name: string, code: string, token = SERVER_TOKEN): Promise<string> {
  await installed.write(`${name}.js`, code);
  const env = { ...process.env, SERVER_TOKEN: token, RELAY_URL: stack.relayUrl };
  const { stdout } = await run(process.execPath, [`${name}.js`], { cwd: installed.folder, env });
  return stdout;
}

describe('a backend', () => {
  test('docs/guides/sending-from-a-server.md: a webhook that three processes get is one event, behind its identify', async () => {
    const { text } = sample('docs/guides/sending-from-a-server.md#the-client ts');
    const code = stripTypeScriptTypes(text).replace('https://t.example.com', stack.relayUrl);

    await inProcess('first', code);
    await Promise.all([inProcess('second', code), inProcess('third', code)]);

    expect(await eventsReceived(stack, 1)).toMatchObject([
      { userId: 'johndoe', eventName: 'Order Shipped', eventData: { 'Order ID': '1337', Total: 39.8 } },
    ]);
    const [event] = (await stack.received()).events;
    expect(Date.parse(event?.eventTime.replace(/(\d\d)(\d\d)$/, '$1:$2') ?? '')).toBe(
      Date.parse('2026-11-23T15:45:00Z'),
    );
    const { users } = await stack.received();
    expect(users[0]).toMatchObject({ userId: 'johndoe', email: 'john@doe.com' });
  });

  test('docs/guides/sending-from-a-server.md: with a journal, a call resolves while the relay is down, and the next process sends it', async () => {
    await stack.empty();
    const { text } = sample('docs/guides/sending-from-a-server.md#a-journal-on-disk ts');
    const code = stripTypeScriptTypes(text).replace('https://t.example.com', stack.relayUrl);
    const track = "relay.track({ userId: 'johndoe', eventName: 'Paid', eventData: { n } })";
    await stack.stopRelay();
    await inProcess(
      'killed',
      `${code}
      await Promise.all([0, 1, 2].map((n) => ${track}));
      process.kill(process.pid, 'SIGKILL');`,
    ).catch(({ signal }) => expect(signal).toBe('SIGKILL'));

    await stack.startRelay();
    await inProcess('restarted', `${code}\nawait relay.close();`);

    const events = await eventsReceived(stack, 3);
    expect(events.map(({ eventData }) => eventData?.n)).toEqual([0, 1, 2]);
  });

  test('docs/guides/sending-from-a-server.md: a Worker answers a webhook before its record is stored, and three deliveries are one event', async () => {
    await stack.empty();
    const { text } = sample('docs/guides/sending-from-a-server.md#serverless-functions-and-workers ts');
    await installed.write('worker/worker.ts', text);
    const config = { name: 'shop', main: 'worker.ts', compatibility_date: '2026-10-01' };
    await installed.write('worker/wrangler.json', JSON.stringify(config));
    const worker = await startWorker({
      config: join(installed.folder, 'worker/wrangler.json'),
      port: await freePort(),
      vars: { RELAY_URL: stack.relayUrl, SERVER_TOKEN },
      persistTo: join(installed.folder, 'worker/state'),
    });

    const order = JSON.stringify({ id: 'order-1', customer: 'janedoe', total: 39.8 });
    for (let delivery = 0; delivery < 3; delivery++)
      expect((await fetch(worker.url, { method: 'POST', body: order })).status).toBe(204);

    expect(await eventsReceived(stack, 1)).toMatchObject([
      { userId: 'janedoe', eventName: 'Order Paid', eventData: { Total: 39.8 } },
    ]);
    await worker.stop();
  });

  test('with a wrong token learns what to set, and its output has no token', async () => {
    const wrong = 'another-token-of-enough-characters';

    const said = await inProcess(
      'wrong',
      `import { createServerClient } from 'webengage-relay/server';
      const relay = createServerClient({ endpoint: process.env.RELAY_URL, token: process.env.SERVER_TOKEN });
      await relay.track({ userId: 'johndoe', eventName: 'Paid' }).catch((error) => console.log(error));`,
      wrong,
    );

    expect(said).toContain("code: 'invalid_token'");
    expect(said).toContain('set token to the SERVER_TOKEN of this relay');
    expect(said).not.toContain(wrong);
  });
});
