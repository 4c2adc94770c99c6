import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { fileBlocks } from '../../../src/import/read/blocks.ts';
import { all, memoryFile } from '../../fakes/import/memory-file.ts';

const BLOCK = 128 * 1024;
const CHANGED = 'people.csv has changed while it was read: run the import again once nothing writes to it';

test('a file is read again and again, and its digest is that of its bytes', async () => {
  const bytes = Buffer.alloc(2 * BLOCK + 5, 'some text');
  const blocks = fileBlocks(memoryFile(bytes));

  const first = Buffer.concat(await all(blocks.read()));
  const second = Buffer.concat(await all(blocks.read()));

  expect([first.equals(bytes), second.equals(bytes)]).toEqual([true, true]);
  expect(blocks.digest()).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test.each([0, BLOCK, 2 * BLOCK])('a file of %d bytes is read to its end', async (size) => {
  const blocks = fileBlocks(memoryFile(Buffer.alloc(size)));

  expect(Buffer.concat(await all(blocks.read())).length).toBe(size);
  expect(blocks.digest()).not.toBe('');
});

test('a block that has changed is never handed out', async () => {
  const file = memoryFile(Buffer.alloc(3 * BLOCK, 'a'));
  const blocks = fileBlocks(file);
  await all(blocks.read());

  file.bytes[BLOCK + 17] = 0;
  const seen: Buffer[] = [];
  const again = (async () => {
    for await (const block of blocks.read()) seen.push(block);
  })();

  await expect(again).rejects.toThrow(CHANGED);
  expect(seen).toHaveLength(1);
});

test.each([
  ['shorter', -1],
  ['shorter by whole blocks', -BLOCK],
  ['longer', 1],
  ['longer by a whole block', BLOCK],
])('a file that is now %s is not taken for the same', async (_, change) => {
  const file = memoryFile(Buffer.alloc(2 * BLOCK, 'a'));
  const blocks = fileBlocks(file);
  await all(blocks.read());

  file.bytes = Buffer.alloc(2 * BLOCK + change, 'a');

  await expect(all(blocks.read())).rejects.toThrow(CHANGED);
});

test('a pass that stops early leaves the digest to one that does not', async () => {
  const blocks = fileBlocks(memoryFile(Buffer.alloc(2 * BLOCK, 'a')));

  for await (const _ of blocks.read()) break;
  expect(blocks.digest()).toBe('');

  await all(blocks.read());
  expect(blocks.digest()).toBe(
    createHash('sha256')
      .update(Buffer.alloc(2 * BLOCK, 'a'))
      .digest('hex'),
  );
});
