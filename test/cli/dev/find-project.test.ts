import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isInstalledIn, ownRelayIn } from '../../../src/cli/dev/find-project.ts';
import { relayFiles } from '../../../src/cli/init/project.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'webengage-relay-own-'));
});

afterEach(() => rmSync(dir, { recursive: true }));

const ANSWERS = { name: 'shop-relay', license: '~abc', region: 'in', origins: '*', domain: '' };

test('a project made by init is a relay’s', () => {
  const [{ path, text } = { path: '', text: '' }] = relayFiles(ANSWERS, {
    config: readFileSync('wrangler.jsonc', 'utf8'),
  });
  writeFileSync(join(dir, path), text);

  expect(ownRelayIn(dir)).toBe(join(dir, 'wrangler.jsonc'));
});

test('a custom Worker that binds both objects is a relay’s, in any configuration format', () => {
  const bound = ['OUTBOX', 'RATE_GATE'].map((name) => `[[durable_objects.bindings]]\nname = "${name}"`);
  writeFileSync(join(dir, 'wrangler.toml'), bound.join('\n'));

  expect(ownRelayIn(dir)).toBe(join(dir, 'wrangler.toml'));
});

test('a web app with another Worker is not a relay’s, and neither is an empty folder', () => {
  expect(ownRelayIn(dir)).toBeUndefined();

  writeFileSync(join(dir, 'wrangler.jsonc'), '{ "name": "shop", "assets": { "directory": "public" } }');

  expect(ownRelayIn(dir)).toBeUndefined();
});

test('the package is installed in a folder if code there can import it', () => {
  expect(isInstalledIn(dir)).toBe(false);

  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(process.cwd(), join(dir, 'node_modules/webengage-relay'));

  expect(isInstalledIn(dir)).toBe(true);
});

test('the package’s own folder counts as one where it is installed', () => {
  expect(isInstalledIn(process.cwd())).toBe(true);
});
