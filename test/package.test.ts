import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { VERSION } from '../src/contract/version.ts';

test('the version the relay tells is the package’s', async () => {
  expect(JSON.parse(await readFile('package.json', 'utf8')).version).toBe(VERSION);
});

test('imported on a server, the package does nothing and needs no window', async () => {
  const { createTracker } = await import('../dist/index.js' as string);

  expect(createTracker({ endpoint: 'https://t.example.com' })).toMatchObject({
    track: expect.any(Function),
  });
});
