import { readFile } from 'node:fs/promises';
import { brotliCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';

// What a visitor downloads, compressed. A page's owner counts these bytes.
const BUDGETS = {
  'dist/tracker.js': 8_650,
  'dist/service-worker.js': 8_650,
  'dist/page-views.js': 1_024,
  'dist/segment.js': 800,
};

test.each(Object.entries(BUDGETS))('%s is at most %d bytes, brotli', async (file, budget) => {
  expect(brotliCompressSync(await readFile(file)).length).toBeLessThanOrEqual(budget);
});
