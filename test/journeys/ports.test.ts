import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startWorker } from '../../src/cli/dev/local-worker.ts';
import { freePort } from './free-port.ts';

test('a Worker whose port another server takes while it starts does not start, though that server answers', async () => {
  const persistTo = await mkdtemp(join(tmpdir(), 'webengage-relay-ports-'));
  const port = await freePort();

  const start = startWorker({ config: 'src/sandbox/wrangler.jsonc', port, vars: {}, persistTo });
  const other = createServer((_, response) => response.end('hello')).listen(port, '127.0.0.1');
  await once(other, 'listening');
  const error = await start.then(
    async (worker) => {
      await worker.stop('SIGKILL');
      return new Error('it started');
    },
    (error: Error) => error,
  );

  other.close();
  other.closeAllConnections();
  await rm(persistTo, { recursive: true, force: true });
  expect(error.message).toContain(`src/sandbox/wrangler.jsonc did not start on port ${port}`);
  expect(error.message).toContain('Address already in use');
});

test('a free port is given once, and outside of the ports that systems give to any socket', async () => {
  const ports = await Promise.all(Array.from({ length: 200 }, freePort));

  expect(new Set(ports).size).toBe(200);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});
