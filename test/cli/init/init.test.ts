import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InitOptions } from '../../../src/cli/command.ts';
import { init } from '../../../src/cli/init/init.ts';
import { readPackage } from '../../../src/cli/package.ts';
import { VERSION } from '../../../src/contract/version.ts';
import { playedRun, playedTerminal } from '../../fakes/operator.ts';
import { README_STUB } from '../../readme-stub.ts';

const KEY = 'a-key-that-must-not-be-told';
const own = readPackage(pathToFileURL(`${process.cwd()}/`));

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'webengage-relay-init-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

const options = (given: Partial<InitOptions> = {}): InitOptions => ({
  dir,
  yes: false,
  force: false,
  secrets: true,
  checkKey: false,
  ...given,
});

const GIVEN = { license: '~abc', origins: 'https://shop.example.com', region: 'in', name: 'shop-relay' };

/** The setting or other value of a line of the wrangler.jsonc that was written. */
async function configured(): Promise<string> {
  return readFile(join(dir, 'wrangler.jsonc'), 'utf8');
}

describe('with everything in flags', () => {
  const world = { own, env: {}, ...playedRun() };

  test('it writes a project with the relay from npm', async () => {
    const code = await init(options({ ...GIVEN, secrets: false, yes: true }), {
      ...world,
      terminal: playedTerminal(),
    });

    expect(code).toBe(0);
    expect((await readdir(dir)).sort()).toEqual(['.gitignore', 'package.json', 'src', 'wrangler.jsonc']);
    const config = await configured();
    for (const line of [
      '"name": "shop-relay"',
      '"main": "src/worker.js"',
      '"directory": "./node_modules/webengage-relay/dist/public"',
      '"WEBENGAGE_LICENSE_CODE": "~abc"',
      '"WEBENGAGE_REGION": "in"',
      '"ALLOWED_ORIGINS": "https://shop.example.com"',
    ])
      expect(config).toContain(line);
    expect(config).not.toContain('routes');
    expect(await readFile(join(dir, 'src/worker.js'), 'utf8')).toContain("from 'webengage-relay/edge'");
    expect(JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'))).toEqual({
      private: true,
      type: 'module',
      scripts: { deploy: 'wrangler deploy', dev: 'webengage-relay dev' },
      dependencies: { 'webengage-relay': VERSION },
      devDependencies: { wrangler: expect.stringMatching(/^\^4\./) },
    });
  });

  test('a custom domain replaces the workers.dev address', async () => {
    const terminal = playedTerminal();

    await init(options({ ...GIVEN, domain: 't.example.com', secrets: false, yes: true }), {
      ...world,
      terminal,
    });

    expect(await configured()).toContain('"routes": [{"pattern":"t.example.com","custom_domain":true}]');
    expect(await configured()).toContain('"workers_dev": false');
    expect(terminal.shown()).toContain('src="https://t.example.com/tracker.js"');
  });

  test('it ends with the next steps: the commands, and the lines for the page as in the README', async () => {
    const terminal = playedTerminal();

    await init(options({ ...GIVEN, secrets: false, yes: true }), { ...world, terminal });

    const steps = [
      `cd ${dir}`,
      'npm install',
      'npx wrangler secret put WEBENGAGE_API_KEY',
      'npx wrangler deploy',
      'npx webengage-relay doctor https://shop-relay.<your subdomain>.workers.dev --origin https://shop.example.com',
      README_STUB,
    ];
    const places = steps.map((step) => terminal.shown().indexOf(step));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });
});

describe('an invalid setting is reported in the relay’s words, and nothing is written', () => {
  test.each([
    [{ license: '~a b' }, '--license: WEBENGAGE_LICENSE_CODE must be set, and hold only letters'],
    [{ region: 'mars' }, '--region: WEBENGAGE_REGION must be global, in or ksa'],
    [{ origins: 'shop.example.com' }, '--origins: ALLOWED_ORIGINS must list origins as browsers write them'],
    [{ origins: '' }, '--origins: ALLOWED_ORIGINS must list the sites that may send'],
    [{ name: 'Shop Relay' }, '--name: the name must be'],
    [{ name: '-' }, '--name: the name must be'],
    [{ domain: 'https://t.example.com' }, '--domain: the domain must be a host name'],
    [{ domain: 't.example.com/relay' }, '--domain: the domain must be a host name'],
    [{ domain: 'T.example.com' }, '--domain: the domain must be a host name'],
    [{ domain: 'localhost' }, '--domain: the domain must be a host name'],
    [{ domain: '10.0.0.1' }, '--domain: the domain must be a host name'],
    [{ license: undefined }, '--license is needed'],
    [{ origins: undefined }, '--origins is needed'],
  ])('%j', async (wrong, message) => {
    const terminal = playedTerminal();
    const env = { WEBENGAGE_API_KEY: KEY };

    const code = await init(options({ ...GIVEN, ...wrong }), { own, terminal, env, ...playedRun() });

    expect(code).toBe(2);
    expect(terminal.shown()).toContain(message);
    expect(await readdir(dir)).toEqual([]);
  });

  test('a missing key', async () => {
    const terminal = playedTerminal();

    const code = await init(options(GIVEN), { own, terminal, env: {}, ...playedRun() });

    expect(code).toBe(2);
    expect(terminal.shown()).toContain('WEBENGAGE_API_KEY is not set');
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('existing files are not overwritten', () => {
  const quick = (given: Partial<InitOptions> = {}) =>
    options({ ...GIVEN, secrets: false, yes: true, ...given });

  test.each(['wrangler.jsonc', 'src/worker.js'])(
    '%s: it is named before the first question',
    async (path) => {
      await mkdir(join(dir, 'src'));
      await writeFile(join(dir, path), 'mine');
      const terminal = playedTerminal({});

      const code = await init(options(), { own, terminal, env: {}, ...playedRun() });

      expect(code).toBe(1);
      expect(terminal.shown()).toContain(join(dir, path));
      expect(terminal.shown()).toContain('--force');
      expect(terminal.asked).toEqual([]);
      expect(await readFile(join(dir, path), 'utf8')).toBe('mine');
      expect(existsSync(join(dir, 'package.json'))).toBe(false);
    },
  );

  test('unless with --force', async () => {
    await writeFile(join(dir, 'wrangler.jsonc'), 'mine');

    expect(
      await init(quick({ force: true }), { own, terminal: playedTerminal(), env: {}, ...playedRun() }),
    ).toBe(0);

    expect(await configured()).toContain('"WEBENGAGE_LICENSE_CODE": "~abc"');
  });

  test('an existing package.json and .gitignore stay unchanged even then', async () => {
    await writeFile(join(dir, 'package.json'), '{"name":"mine"}');
    await writeFile(join(dir, '.gitignore'), 'mine');
    const terminal = playedTerminal();

    await init(quick({ force: true }), { own, terminal, env: {}, ...playedRun() });

    expect(await readFile(join(dir, 'package.json'), 'utf8')).toBe('{"name":"mine"}');
    expect(await readFile(join(dir, '.gitignore'), 'utf8')).toBe('mine');
    expect(terminal.shown()).toContain(`npm install --save-exact webengage-relay@${VERSION}`);
    expect(terminal.shown()).toContain('npm install --save-dev wrangler@4.');
  });

  test.each(['wrangler.toml', 'wrangler.json'])(
    'a folder with a %s belongs to another Worker',
    async (path) => {
      await writeFile(join(dir, path), '');
      const terminal = playedTerminal();

      expect(await init(quick({ force: true }), { own, terminal, env: {}, ...playedRun() })).toBe(1);

      expect(terminal.shown()).toContain(join(dir, path));
      expect(await readdir(dir)).toEqual([path]);
    },
  );
});

describe('at the prompts', () => {
  const ANSWERS = {
    'license code': '~abc',
    'The sites': 'https://shop.example.com',
    'API key': KEY,
    'empty call': 'n',
  };

  test('an empty answer means the default, and an invalid one is asked for again', async () => {
    const terminal = playedTerminal({
      ...ANSWERS,
      'The sites': ['shop.example.com', 'https://shop.example.com'],
    });

    const code = await init(options(), { own, terminal, env: {}, ...playedRun() });

    expect(code).toBe(0);
    expect(terminal.asked.filter((question) => question.includes('The sites'))).toHaveLength(2);
    expect(terminal.shown()).toContain('ALLOWED_ORIGINS must list origins');
    expect(await configured()).toContain('"WEBENGAGE_REGION": "global"');
    expect(await configured()).toContain('"name": "webengage-relay"');
  });

  test('a flag replaces its question, and with --yes only the key is asked for', async () => {
    const terminal = playedTerminal(ANSWERS);

    await init(options({ ...GIVEN, yes: true }), { own, terminal, env: {}, ...playedRun() });

    expect(terminal.asked).toEqual([expect.stringContaining('API key')]);
  });

  test('the key goes only to Wrangler’s standard input', async () => {
    const terminal = playedTerminal(ANSWERS);
    const { run, ran } = playedRun();

    await init(options(), { own, terminal, env: {}, run });

    expect(ran).toContainEqual({
      command: 'npx wrangler secret put WEBENGAGE_API_KEY',
      cwd: dir,
      input: KEY,
    });
    expect(ran.filter(({ command, input }) => command.includes(KEY) || input === KEY)).toHaveLength(1);
    expect(terminal.shown()).not.toContain(KEY);
    for (const file of ['wrangler.jsonc', 'package.json', 'src/worker.js', '.gitignore'])
      expect(await readFile(join(dir, file), 'utf8')).not.toContain(KEY);
  });

  test('the admin token is created, set and shown once', async () => {
    const terminal = playedTerminal(ANSWERS);
    const { run, ran } = playedRun();

    await init(options(), { own, terminal, env: {}, run });

    const { input = '' } = ran.find(({ command }) => command.endsWith('put ADMIN_TOKEN')) ?? {};
    expect(input).toMatch(/^[\w-]{43}$/);
    expect(terminal.shown().split(input)).toHaveLength(2);
  });

  test('the admin token is not created if it is not wanted', async () => {
    const { run, ran } = playedRun();

    await init(options(), { own, terminal: playedTerminal({ ...ANSWERS, ADMIN_TOKEN: 'no' }), env: {}, run });

    expect(ran.map(({ command }) => command)).not.toContain('npx wrangler secret put ADMIN_TOKEN');
  });

  test('a user who is not signed in to Cloudflare is signed in first', async () => {
    const { run, ran } = playedRun({ whoami: 1 });

    await init(options(), { own, terminal: playedTerminal(ANSWERS), env: {}, run });

    expect(ran.map(({ command }) => command)).toEqual([
      'npm install',
      'npx wrangler whoami --json',
      'npx wrangler login',
      'npx wrangler secret put WEBENGAGE_API_KEY',
      'npx wrangler secret put ADMIN_TOKEN',
    ]);
  });

  test.each(['npm install', 'login', 'put WEBENGAGE_API_KEY'])(
    'if “%s” fails the files exist, and the remaining steps are listed',
    async (failing) => {
      const terminal = playedTerminal(ANSWERS);
      const { run } = playedRun({ whoami: 1, [failing]: 1 });

      expect(await init(options(), { own, terminal, env: {}, run })).toBe(1);

      expect(await configured()).toContain('~abc');
      expect(terminal.shown().split('Next:')[1]).toContain('npx wrangler secret put WEBENGAGE_API_KEY');
    },
  );

  test('if only the token was not set, only that step remains, and the token is not shown', async () => {
    const terminal = playedTerminal(ANSWERS);
    const { run } = playedRun({ 'put ADMIN_TOKEN': 1 });

    expect(await init(options(), { own, terminal, env: {}, run })).toBe(1);

    expect(
      terminal
        .shown()
        .match(/npx wrangler secret put \w+/g)
        ?.at(-1),
    ).toBe('npx wrangler secret put ADMIN_TOKEN');
    expect(terminal.shown().split('Next:')[1]).not.toContain('WEBENGAGE_API_KEY');
    expect(terminal.shown()).not.toContain('shown only once');
  });
});

test('a build without a terminal takes the key from the variable and creates no token for the log', async () => {
  const terminal = playedTerminal();
  const { run, ran } = playedRun({ whoami: 1 });

  const code = await init(options(GIVEN), { own, terminal, env: { WEBENGAGE_API_KEY: KEY }, run });

  expect(code).toBe(0);
  expect(ran.map(({ command }) => command)).toEqual([
    'npm install',
    'npx wrangler whoami --json',
    'npx wrangler secret put WEBENGAGE_API_KEY',
  ]);
  expect(terminal.shown().split('Next:')[1]).not.toContain('secret put');
});
