import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { isTaken } from '../../../src/cli/dev/ports.ts';

let server: Server | undefined;

afterEach(() => void server?.close());

async function listen(host: string): Promise<number> {
  server = createServer().listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test.each(['127.0.0.1', '0.0.0.0'])('a port in use at %s is not free', async (host) => {
  expect(await isTaken(await listen(host))).toBe(true);
});

test('an unused port is free', async () => {
  const port = await listen('127.0.0.1');
  server?.close();

  expect(await isTaken(port)).toBe(false);
});
