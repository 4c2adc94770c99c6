import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webengage-relay-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ROWS = 300_000;

/** Some 60 MB: three times the memory of the process below. */
function* csv(): Generator<string> {
  yield 'userId,email,phone,Plan,Note\n';
  for (let row = 1; row <= ROWS; row++)
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
  ['users.csv', csv],
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
  120_000,
);
