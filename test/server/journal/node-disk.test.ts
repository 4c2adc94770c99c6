import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServerClient } from '../../../src/server/index.ts';
import { TOKEN } from '../../fakes/server-platform.ts';

// The real disk, and real processes.

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'webengage-relay-journal-'));
const arrived = new Map<string, { readonly eventData: { readonly n: number } }>();
let isDown = false;

/** A relay that takes each record once. */
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { device, records } = JSON.parse(Buffer.concat(chunks).toString());
  response.writeHead(isDown ? 503 : 202, { 'Content-Type': 'application/json' });
  if (!isDown) for (const record of records) arrived.set(`${device} ${record.id}`, record);
  const answer = { response: { status: 'queued' }, accepted: records.length, duplicates: 0, rejected: [] };
  response.end(JSON.stringify(isDown ? { error: { code: 'unavailable', message: '' } } : answer));
});
let endpoint = '';

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const numbers = () => [...arrived.values()].map(({ eventData }) => eventData.n);

/** Runs a program in a process of its own. */
function inProcess(journal: string, program: string) {
  const options = JSON.stringify({ endpoint, token: TOKEN, journal });
  const code = `
    import { createServerClient } from '${join(import.meta.dirname, '../../../src/server/index.ts')}';
    const client = createServerClient(${options});
    const track = (n) => client.track({ userId: 'johndoe', eventName: 'Called', eventData: { n } });
    ${program}`;
  return run(process.execPath, ['--input-type=module', '--eval', code]);
}

describe('on a real disk', () => {
  test('the records of a killed process are sent by the next one', async () => {
    const journal = join(folder, 'killed');
    isDown = true;
    const killed = await inProcess(
      journal,
      "await Promise.all([0, 1, 2].map(track)); process.kill(process.pid, 'SIGKILL');",
    ).catch(({ signal }) => signal);
    expect(killed).toBe('SIGKILL');

    isDown = false;
    await inProcess(journal, 'await client.close();');

    expect(numbers()).toEqual([0, 1, 2]);
    expect(readdirSync(journal)).toEqual([]);
  });

  test('a second process is refused, and the first goes on', async () => {
    const journal = join(folder, 'shared');
    const first = createServerClient({ endpoint, token: TOKEN, journal });
    await first.track({ userId: 'johndoe', eventName: 'Called', eventData: { n: 3 } });

    const { stdout } = await inProcess(
      journal,
      'await track(4).catch(({ code, message }) => console.log(code, message)); await client.close();',
    );
    await first.track({ userId: 'johndoe', eventName: 'Called', eventData: { n: 5 } });
    await first.close();

    expect(stdout).toMatch(
      /^journal the journal .*shared can't be opened: process \d+ on .* uses it: give each/,
    );
    expect(numbers()).toEqual([0, 1, 2, 3, 5]);
  });

  test('only its owner may read the journal', async () => {
    const journal = join(folder, 'private');
    isDown = true;
    const client = createServerClient({ endpoint, token: TOKEN, journal });
    await client.track({ userId: 'johndoe', eventName: 'Called' });

    const files = readdirSync(journal).map((name) => join(journal, name));
    expect(files).toHaveLength(2);
    for (const path of files) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(journal).mode & 0o777).toBe(0o700);
    isDown = false;
    await client.close();
  });

  test('a journal where there is a file makes calls reject with the system’s reason', async () => {
    const journal = join(folder, 'file');
    writeFileSync(journal, '');
    const reported: Error[] = [];
    const client = createServerClient({
      endpoint,
      token: TOKEN,
      journal,
      onError: (error) => reported.push(error),
    });

    await expect(client.track({ userId: 'johndoe', eventName: 'Called' })).rejects.toThrow(
      `the journal ${journal} can't be opened: EEXIST`,
    );
    await client.close();

    expect(reported).toHaveLength(1);
  });
});
