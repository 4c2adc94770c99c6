import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textOf } from '../../../src/import/read/text.ts';
import { all, chunked } from '../../fakes/import/memory-file.ts';

async function read(content: string | Uint8Array, size = 7): Promise<string> {
  return Buffer.concat(await all(textOf(chunked(content, size), 'people.csv'))).toString();
}

const wellFormed = fc
  .string({ unit: 'grapheme' })
  .filter((text) => !text.includes('\0') && !/^(\uFEFF|PK)/.test(text));

test('text comes back, in chunks of any size, with and without gzip', async () => {
  await fc.assert(
    fc.asyncProperty(wellFormed, fc.integer({ min: 1, max: 9 }), async (text, size) => {
      expect(await read(text, size)).toBe(text);
      expect(await read(gzipSync(text), size)).toBe(text);
    }),
  );
});

test('no character is split between two chunks', async () => {
  const chunks = await all(textOf(chunked('aé€😀'.repeat(20), 5), 'people.csv'));

  expect(chunks.map((chunk) => chunk.toString()).join('')).toBe('aé€😀'.repeat(20));
});

test('a byte order mark is left out, in a file and inside gzip', async () => {
  expect(await read('\uFEFFid,name')).toBe('id,name');
  expect(await read(gzipSync('\uFEFFid,name'))).toBe('id,name');
  expect(await read('\uFEFF', 1)).toBe('');
});

test('two gzip files one after the other are one text', async () => {
  expect(await read(Buffer.concat([gzipSync('one\n'), gzipSync('two\n')]))).toBe('one\ntwo\n');
});

describe('bytes that are not UTF-8 end the reading, with their line and place', () => {
  test.each([
    ['Latin 1', Buffer.from('id,name\n1,Zoë\n', 'latin1'), 'line 2: byte 13 is not UTF-8'],
    [
      'a stray continuation byte',
      Buffer.from([0x61, 0x62, 0x63, 0x64, 0x80, 0x0a]),
      'line 1: byte 5 is not UTF-8',
    ],
    ['a character that is cut off', Buffer.from([0x61, 0x62, 0x63, 0x64, 0x0a, 0xe2, 0x82]), 'line 2: byte '],
  ])('%s', async (_, bytes, place) => {
    for (const size of [1, 3, 1_000])
      await expect(read(bytes, size)).rejects.toThrow(new RegExp(`^people.csv, ${place}`));
  });

  test('the remedy is named', async () => {
    await expect(read(Buffer.from([0x61, 0x62, 0x63, 0x64, 0xff]))).rejects.toThrow(
      'save the file as UTF-8 (in Excel: CSV UTF-8)',
    );
  });

  test('the place is the first bad byte after many good ones', async () => {
    const good = 'é,1\n'.repeat(1_000);
    const bytes = Buffer.concat([Buffer.from(good), Buffer.from([0xff]), Buffer.from(good)]);

    await expect(read(bytes, 4_096)).rejects.toThrow('line 1001: byte 5001 is not UTF-8');
  });
});

describe('another kind of file is refused with a remedy', () => {
  test.each([
    ['UTF-16 with a mark', Buffer.from('\uFEFFid,name', 'utf16le'), 'UTF-16: save it as UTF-8'],
    ['UTF-16 without a mark', Buffer.from('id,name', 'utf16le'), 'UTF-16: save it as UTF-8'],
    ['a workbook', Buffer.from([0x50, 0x4b, 3, 4, 20, 0]), 'save the table as CSV UTF-8'],
    [
      'gzip that is cut off',
      gzipSync('id,name\n'.repeat(100)).subarray(0, 30),
      'gzip, but ends too early: copy',
    ],
    [
      'gzip that is damaged',
      gzipSync('id,name\n').fill(0xff, 12, 16),
      'gzip, but is damaged: copy the file again',
    ],
  ])('%s', async (_, bytes, message) => {
    await expect(read(bytes, 1_000)).rejects.toThrow(message);
  });
});
