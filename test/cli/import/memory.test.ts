import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webengage-relay-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ROWS = 150_000;

/** Some 30 MB, and several times as much as objects. The process below has 20 MB. */
function* csv(rows = ROWS): Generator<string> {
  yield 'userId,email,phone,Plan,Note\n';
  for (let row = 1; row <= rows; row++)
    yield `user-${row},user-${row}@example.com,+4915${row},gold,"${'some text, '.repeat(12)}${row}"\n`;
}

function* json(): Generator<string> {
  yield '[';
  for (let row = 1; row <= ROWS; row++)
    yield `${row === 1 ? '' : ','}{"userId":"user-${row}","Plan":"gold","Note":"${'some text, '.repeat(12)}${row}"}`;
  yield ']';
}

// A real process: the bundle that users run, with a heap that holds a small part of the file.
test.each([
  ['users.csv', () => csv()],
  ['users.json', json],
])(
  'a file of many times the heap is checked: %s',
  async (name, content) => {
    const path = join(folder, `${name}.gz`);
    await pipeline(Readable.from(content()), createGzip({ level: 1 }), createWriteStream(path));

    const args = [
      '--max-old-space-size=20',
      'dist/bin.js',
      'import',
      path,
      '--kind',
      'users',
      '--dry-run',
      '--json',
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args);

    expect(JSON.parse(stdout)).toMatchObject({ rows: ROWS, good: ROWS, refused: 0 });
  },
  300_000,
);

// As objects in memory they would take some 60 MB.
const SENT = 120_000;

test('a file larger than the heap is sent', async () => {
  const path = join(folder, 'sent.csv.gz');
  await pipeline(Readable.from(csv(SENT)), createGzip({ level: 1 }), createWriteStream(path));
  // A relay that takes everything, later than rows are read.
  let taken = 0;
  const relay = createServer(async (request, response) => {
    const { records } = JSON.parse(await text(request));
    await setTimeout(100);
    taken += records.length;
    const answer = { response: { status: 'queued' }, accepted: records.length, duplicates: 0, rejected: [] };
    response.writeHead(202).end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;

  const args = ['--max-old-space-size=32', 'dist/bin.js', 'import', path, '--kind', 'users', '--json'];
  const env = { ...process.env, SERVER_TOKEN: 'a-server-token-of-enough-characters' };
  const sending = promisify(execFile)(process.execPath, [...args, '--relay', `http://127.0.0.1:${port}`], {
    env,
  });
  const { stdout } = await sending.finally(() => relay.close());

  const report = stdout.trimEnd().split('\n').at(-1) ?? '';
  expect(JSON.parse(report)).toMatchObject({ outcome: 'complete', rows: SENT, sent: SENT, refused: 0 });
  expect(taken).toBe(SENT);
}, 300_000);
