import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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

// In the process: what V8 has of the system, and what is in use after a collection.
const MEASURE = `data:text/javascript,setInterval(() => {
  const { heapTotal } = process.memoryUsage();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  console.error(JSON.stringify({ heapTotal, inUse: heapUsed + external }));
}, 200).unref()`;

type Measured = { readonly heapTotal: number; readonly inUse: number };

test('a file larger than the heap is sent, and memory does not grow with the rows that are sent', async () => {
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

  const args = [
    ...['--max-old-space-size=32', '--expose-gc', '--import', MEASURE],
    ...['dist/bin.js', 'import', path, '--kind', 'users', '--json', '--relay', `http://127.0.0.1:${port}`],
  ];
  const env = { ...process.env, SERVER_TOKEN: 'a-server-token-of-enough-characters' };
  const sending = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const measured = new Map<number, Measured>();
  const measuring = (async () => {
    for await (const line of createInterface(sending.stderr)) measured.set(taken, JSON.parse(line));
  })();
  const [stdout] = await Promise.all([text(sending.stdout), measuring]).finally(() => relay.close());

  const report = stdout.trimEnd().split('\n').at(-1) ?? '';
  expect(JSON.parse(report)).toMatchObject({ outcome: 'complete', rows: SENT, sent: SENT, refused: 0 });
  expect(taken).toBe(SENT);
  const between = (from: number, to: number) =>
    [...measured].filter(([rows]) => rows > from * SENT && rows <= to * SENT).map(([, each]) => each);
  const most = (of: keyof Measured, among: readonly Measured[]) => Math.max(...among.map((each) => each[of]));
  expect(most('inUse', between(0.7, 1)) / most('inUse', between(0.1, 0.3))).toBeLessThan(1.2);
  expect(most('heapTotal', between(0, 1)) / most('inUse', between(0, 1))).toBeLessThan(2);
}, 300_000);
