import { readFile } from 'node:fs/promises';
import { brotliCompressSync } from 'node:zlib';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { rollup } from 'rollup';
import { expect, test } from 'vitest';
import { BUDGETS, STUB_BYTES } from './budgets.ts';
import { README_STUB } from './readme-stub.ts';

type Target = string | { readonly default: string };

const exported: Record<string, Target> = JSON.parse(await readFile('package.json', 'utf8')).exports;
const entries = Object.entries(exported).filter(([path]) => !path.endsWith('.json'));

/** What comes to a page or a Worker: a script as it is; a module as a bundler makes it, with all it needs. */
async function codeOf(target: Target): Promise<string | Buffer> {
  if (typeof target === 'string') return readFile(target);
  const plugins = [nodeResolve(), terser({ module: true })];
  const bundle = await rollup({ input: target.default, external: /^cloudflare:/, plugins });
  const { output } = await bundle.generate({ format: 'es' });
  return output.map((part) => ('code' in part ? part.code : '')).join('');
}

// Each is bundled and minified for it, which takes a busy machine its time.
test.each(entries)('%s is within its budget', { timeout: 60_000 }, async (path, target) => {
  const { length } = brotliCompressSync(await codeOf(target));

  expect(length).toBeLessThanOrEqual(BUDGETS[path] ?? 0);
  // A budget that is never near is none.
  expect(length).toBeGreaterThan((BUDGETS[path] ?? 0) * 0.9);
});

test('the stub is within 300 bytes, tags included, because each page of a site has it', () => {
  const { length } = brotliCompressSync(README_STUB);

  expect(length).toBeLessThanOrEqual(STUB_BYTES);
  expect(length).toBeGreaterThan(STUB_BYTES * 0.9);
});
