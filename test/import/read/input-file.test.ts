import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InputFile, openInput } from '../../../src/import/read/input-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webengage-relay-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

const nothing = Readable.from([]);

async function content(file: InputFile): Promise<string> {
  const buffer = Buffer.alloc(1_000);
  return buffer.toString('utf8', 0, await file.read(buffer, 0));
}

test('a file is read from any position', async () => {
  const path = join(folder, 'people.csv');
  await writeFile(path, 'id,name\n');
  const file = await openInput(path, nothing);

  const buffer = Buffer.alloc(3);
  expect([await file.read(buffer, 3), buffer.toString(), await file.read(buffer, 8)]).toEqual([3, 'nam', 0]);
  expect(file.name).toBe(path);
  await file.close();
});

test('standard input can be read twice, and leaves no file that others could open', async () => {
  const before = await readdir(tmpdir());

  const file = await openInput('-', Readable.from([Buffer.from('id,'), 'name\n']));

  expect(file.name).toBe('standard input');
  expect([await content(file), await content(file)]).toEqual(['id,name\n', 'id,name\n']);
  const added = (await readdir(tmpdir())).filter((name) => !before.includes(name));
  expect(added.filter((name) => name.startsWith('webengage-relay-import-'))).toEqual([]);
  await file.close();
});

test.skipIf(process.platform !== 'linux')('the copy of standard input is for this user alone', async () => {
  const file = await openInput('-', Readable.from(['x']));

  const copies: number[] = [];
  for (const descriptor of await readdir('/proc/self/fd')) {
    const path = `/proc/self/fd/${descriptor}`;
    if ((await readlink(path).catch(() => '')).includes('webengage-relay-import-'))
      copies.push((await stat(path)).mode & 0o777);
  }
  expect(copies).toContain(0o600);
  expect(copies.filter((mode) => mode !== 0o600)).toEqual([]);
  await file.close();
});

test.skipIf(process.platform === 'win32')('a pipe is copied as standard input is', async () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);

  const [file] = await Promise.all([openInput(path, nothing), writeFile(path, 'id,name\n')]);

  expect([await content(file), await content(file)]).toEqual(['id,name\n', 'id,name\n']);
  await file.close();
});

test('a file that is missing, and a folder, are named', async () => {
  await expect(openInput(join(folder, 'none.csv'), nothing)).rejects.toThrow(
    `${join(folder, 'none.csv')} can't be read: there is no such file`,
  );
  await expect(openInput(folder, nothing)).rejects.toThrow(`${folder} is a folder: name a file`);
});

test('standard input that breaks is named', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('id');
    throw Object.assign(new Error('secret'), { code: 'EIO' });
  }

  await expect(openInput('-', broken())).rejects.toThrow("standard input can't be read: EIO");
});

test('a full disk is named, with the remedy', async () => {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('id');
    throw Object.assign(new Error(), { code: 'ENOSPC' });
  }

  await expect(openInput('-', stream())).rejects.toThrow('has no room for standard input: set TMPDIR');
});
