import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasServerToken, isInstalledIn, ownRelayIn } from '../../../src/cli/dev/find-project.ts';
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

test.each([
  ['wrangler.jsonc', '{ "vars": { "SERVER_TOKEN": "a-token" } }', true],
  ['wrangler.toml', 'SERVER_TOKENS = "crm=a-token"', true],
  ['.dev.vars', 'ADMIN_TOKEN=b\nSERVER_TOKEN=a-token', true],
  ['.env', 'export SERVER_TOKENS="crm=a-token"', true],
  ['.dev.vars', '# SERVER_TOKEN=a-token\nADMIN_TOKEN=b', false],
  ['wrangler.jsonc', '{\n  // SERVER_TOKEN, SERVER_TOKENS: secrets\n  "vars": {}\n}', false],
])('a project has a server token of its own: by %s with %j, %j', (name, text, expected) => {
  writeFileSync(join(dir, name), text);

  expect(hasServerToken(join(dir, name.startsWith('.') ? 'wrangler.jsonc' : name))).toBe(expected);
});

test('neither a clone nor a project made by init has a server token of its own', () => {
  const config = readFileSync('wrangler.jsonc', 'utf8');
  const [made] = relayFiles(ANSWERS, { config });
  for (const text of [config, made?.text ?? '']) {
    writeFileSync(join(dir, 'wrangler.jsonc'), text);
    expect(hasServerToken(join(dir, 'wrangler.jsonc'))).toBe(false);
  }
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
