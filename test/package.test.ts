import { readdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { rollup } from 'rollup';
import { expect, test } from 'vitest';
import { VERSION } from '../src/contract/version.ts';
import { SETTINGS } from '../src/edge/settings/settings-table.ts';

test('the relay reports the version of the package', async () => {
  expect(JSON.parse(await readFile('package.json', 'utf8')).version).toBe(VERSION);
});

test('imported on a server, the package does nothing and needs no window', async () => {
  const { createTracker } = await import('../dist/index.js' as string);

  expect(createTracker({ endpoint: 'https://t.example.com' })).toMatchObject({
    track: expect.any(Function),
  });
});

// What came after Node 20.13, and would be at hand.
const LATER =
  /URL\.parse\(|Promise\.(withResolvers|try)|\.groupBy\(|Array\.fromAsync|import\.meta\.(dirname|filename)|\busing \w+ ?=/;

test('the command runs on Node 20.13, like the package', async () => {
  // The prompts give several formats to `styleText`, which Node accepts since then.
  expect(JSON.parse(await readFile('package.json', 'utf8')).engines.node).toBe('>=20.13');
  expect(LATER.exec(await readFile('dist/cli.js', 'utf8'))?.[0]).toBeUndefined();
});

test('the command contains its libraries and their licenses, and imports nothing but the package’s dependencies', async () => {
  const command = await readFile('dist/cli.js', 'utf8');
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8'));
  const withTheirs = (name: string): readonly string[] => {
    const theirs = Object.keys(packages[`node_modules/${name}`].dependencies ?? {});
    return [name, ...theirs.flatMap(withTheirs)];
  };

  for (const name of ['commander', '@clack/prompts', 'csv-parse', 'cli-progress'].flatMap(withTheirs)) {
    const files = await readdir(`node_modules/${name}`);
    const license = files.find((file) => /^licen[cs]e/i.test(file));
    expect(command, name).toContain(await readFile(`node_modules/${name}/${license}`, 'utf8'));
  }
  const { output } = await (await rollup({ input: 'dist/cli.js', external: /^[^.]/ })).generate({});
  expect(output[0].imports.filter((name) => !isBuiltin(name)).sort()).toEqual(['ky', 'valibot']);
});

test('the client for servers runs on Node 20.13, and imports nothing', async () => {
  const code = await readFile('dist/server.js', 'utf8');

  expect(LATER.exec(code)?.[0]).toBeUndefined();
  expect(code).not.toMatch(/^import |\bimport\(|\brequire\(/m);
});

test('the deploy button asks for settings, each with a description', async () => {
  const { bindings } = JSON.parse(await readFile('package.json', 'utf8')).cloudflare;
  const { vars } = JSON.parse((await readFile('wrangler.jsonc', 'utf8')).replace(/^\s*\/\/.*$/gm, ''));
  const secrets = [...(await readFile('.dev.vars.example', 'utf8')).matchAll(/^([A-Z_]+)=/gm)].map(
    ([, name]) => name,
  );

  const asked = [...secrets, ...Object.keys(vars)];
  expect(secrets).toContain('WEBENGAGE_API_KEY');
  expect(Object.keys(bindings).sort()).toEqual(asked.sort());
  expect(Object.keys(SETTINGS)).toEqual(expect.arrayContaining(asked));
});
