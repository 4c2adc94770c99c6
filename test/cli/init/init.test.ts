import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { init } from '../../../src/cli/init/init.ts';
import type { InitOptions } from '../../../src/cli/init/options.ts';
import { readPackage } from '../../../src/cli/package.ts';
import { INTERRUPTED } from '../../../src/cli/spawn.ts';
import { VERSION } from '../../../src/contract/version.ts';
import { playedOperator, playedPipe, playedRun } from '../../fakes/cli/operator.ts';
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
  secrets: true,
  ...given,
});

// What a terminal sends for these keys.
const DOWN = '\u001b[B';
const CLEAR_LINE = '\u0015';

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
      ...playedPipe(),
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
    const operator = playedPipe();

    await init(options({ ...GIVEN, domain: 't.example.com', secrets: false, yes: true }), {
      ...world,
      ...operator,
    });

    expect(await configured()).toContain('"routes": [{"pattern":"t.example.com","custom_domain":true}]');
    expect(await configured()).toContain('"workers_dev": false');
    expect(operator.shown()).toContain('src="https://t.example.com/tracker.js"');
  });

  test('it ends with the next steps: the commands, and the lines for the page as in the README', async () => {
    const operator = playedPipe();

    await init(options({ ...GIVEN, secrets: false, yes: true }), { ...world, ...operator });

    const steps = [
      `cd ${dir}`,
      'npm install',
      '# answer yes',
      'npx wrangler secret put WEBENGAGE_API_KEY',
      '# optional, for /admin/; to make one: openssl rand -base64 32',
      'npx wrangler secret put ADMIN_TOKEN',
      "# on Cloudflare's free plan, first set MAX_SUBREQUESTS",
      'npx wrangler deploy',
      'npx webengage-relay doctor https://shop-relay.<your subdomain>.workers.dev --origin https://shop.example.com',
      README_STUB,
      `docs/guides/deploying.md at ${own.homepage}`,
    ];
    const places = steps.map((step) => operator.shown().indexOf(step));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });
});

describe('without questions, every missing answer is reported, and nothing is written', () => {
  const { license, origins, ...others } = GIVEN;

  test.each([
    [{ license, ...others }, '--origins must be given'],
    [{ origins, ...others }, '--license must be given'],
    [others, '--license and --origins must be given'],
  ])('%j', async (given, message) => {
    const operator = playedPipe(KEY);

    const code = await init(options(given), { own, ...operator, env: {}, ...playedRun() });

    expect(code).toBe(2);
    expect(operator.shown()).toContain(message);
    expect(await readdir(dir)).toEqual([]);
  });

  test.each([
    ['', 'WEBENGAGE_API_KEY must not be empty: set it, pipe the key in, or use --no-secrets to set it later'],
    ['a key', 'WEBENGAGE_API_KEY must be'],
  ])('the invalid key “%s”', async (piped, message) => {
    const operator = playedPipe(piped);

    const code = await init(options(GIVEN), { own, ...operator, env: {}, ...playedRun() });

    expect(code).toBe(2);
    expect(operator.shown()).toContain(message);
    expect(await readdir(dir)).toEqual([]);
  });

  test('--yes asks for the key alone, also at a terminal', async () => {
    const operator = playedOperator();

    const code = await init(options({ yes: true }), { own, ...operator, env: {}, ...playedRun() });

    expect(code).toBe(2);
    expect(operator.asked).toEqual([]);
    expect(operator.shown()).toContain('--license and --origins must be given');
  });

  test('a key is not read from a keyboard that would show it', async () => {
    const { terminal, ...operator } = playedOperator();
    const half = { ...terminal, output: playedPipe().terminal.output };

    const code = await init(options(GIVEN), { own, ...operator, terminal: half, env: {}, ...playedRun() });

    expect(code).toBe(2);
    expect(operator.shown()).toContain('WEBENGAGE_API_KEY must not be empty');
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
      const operator = playedOperator();

      const code = await init(options(), { own, ...operator, env: {}, ...playedRun() });

      expect(code).toBe(1);
      expect(operator.shown()).toContain(join(dir, path));
      expect(operator.shown()).toContain('--force');
      expect(operator.shown()).toContain(
        'npx wrangler secret put WEBENGAGE_API_KEY there to set only the key',
      );
      expect(operator.asked).toEqual([]);
      expect(await readFile(join(dir, path), 'utf8')).toBe('mine');
      expect(existsSync(join(dir, 'package.json'))).toBe(false);
    },
  );

  test('unless with --force', async () => {
    await writeFile(join(dir, 'wrangler.jsonc'), 'mine');

    expect(await init(quick({ force: true }), { own, ...playedPipe(), env: {}, ...playedRun() })).toBe(0);

    expect(await configured()).toContain('"WEBENGAGE_LICENSE_CODE": "~abc"');
  });

  test('an existing package.json and .gitignore stay unchanged even then', async () => {
    await writeFile(join(dir, 'package.json'), '{"name":"mine"}');
    await writeFile(join(dir, '.gitignore'), 'mine');
    const operator = playedPipe();

    await init(quick({ force: true }), { own, ...operator, env: {}, ...playedRun() });

    expect(await readFile(join(dir, 'package.json'), 'utf8')).toBe('{"name":"mine"}');
    expect(await readFile(join(dir, '.gitignore'), 'utf8')).toBe('mine');
    expect(operator.shown()).toContain(`npm install --save-exact webengage-relay@${VERSION}`);
    expect(operator.shown()).toContain('npm install --save-dev wrangler@4.');
  });

  test.each(['wrangler.toml', 'wrangler.json'])('a folder with a %s is another Worker’s', async (path) => {
    await writeFile(join(dir, path), '');
    const operator = playedPipe();

    expect(await init(quick({ force: true }), { own, ...operator, env: {}, ...playedRun() })).toBe(1);

    expect(operator.shown()).toContain(join(dir, path));
    expect(await readdir(dir)).toEqual([path]);
  });
});

describe('at the prompts', () => {
  const ANSWERS = {
    'license code': '~abc',
    'The sites': 'https://shop.example.com',
    'API key': KEY,
    'empty call': 'n',
  };

  test('Enter accepts the default', async () => {
    const operator = playedOperator(ANSWERS);

    const code = await init(options(), { own, ...operator, env: {}, ...playedRun() });

    expect(code).toBe(0);
    expect(operator.asked).toHaveLength(8);
    expect(await configured()).toContain('"WEBENGAGE_REGION": "global"');
    expect(await configured()).toContain('"name": "webengage-relay"');
  });

  test('a region is chosen from a list', async () => {
    const operator = playedOperator({ ...ANSWERS, 'account live': DOWN });

    await init(options(), { own, ...operator, env: {}, ...playedRun() });

    expect(await configured()).toContain('"WEBENGAGE_REGION": "in"');
  });

  test('an invalid answer is reported in the relay’s words and can be corrected', async () => {
    const operator = playedOperator({
      ...ANSWERS,
      'The sites': `shop.example.com\r${CLEAR_LINE}https://shop.example.com`,
      'API key': `\r${KEY}`,
    });

    const code = await init(options(), { own, ...operator, env: {}, ...playedRun() });

    expect(code).toBe(0);
    expect(operator.shown()).toContain('ALLOWED_ORIGINS must list origins');
    expect(operator.shown()).toContain('WEBENGAGE_API_KEY must not be empty');
    expect(await configured()).toContain('"ALLOWED_ORIGINS": "https://shop.example.com"');
  });

  test.each([
    ['Ctrl-C', 'license code', '\u0003'],
    ['Ctrl-D', 'license code', '\u0004'],
    ['Ctrl-C', 'account live', '\u0003'],
    ['Ctrl-C', 'host name', 't.example\u0003'],
    ['Ctrl-C', 'API key', `${KEY}\u0003`],
    ['Ctrl-D', 'API key', '\u0004'],
    ['Ctrl-C', 'empty call', '\u0003'],
    ['Ctrl-C', 'ADMIN_TOKEN', '\u0003'],
  ])('%s at “%s” exits with 130, and nothing is written or run', async (_, question, keys) => {
    const operator = playedOperator({ ...ANSWERS, [question]: keys });
    const { run, ran } = playedRun();

    const code = await init(options(), { own, ...operator, env: {}, run });

    expect(code).toBe(130);
    expect(operator.asked.at(-1)).toContain(question);
    expect(operator.shown()).toContain('interrupted. Nothing was written.');
    expect(operator.shown()).not.toContain(KEY);
    expect(await readdir(dir)).toEqual([]);
    expect(ran).toEqual([]);
  });

  test('a flag replaces its question, and with --yes only the key is asked for', async () => {
    const operator = playedOperator(ANSWERS);

    await init(options({ ...GIVEN, yes: true }), { own, ...operator, env: {}, ...playedRun() });

    expect(operator.asked).toEqual([expect.stringContaining('API key')]);
  });

  test('the key goes only to Wrangler’s standard input', async () => {
    const operator = playedOperator(ANSWERS);
    const { run, ran } = playedRun();

    await init(options(), { own, ...operator, env: {}, run });

    expect(ran).toContainEqual({
      command: 'npx wrangler secret put WEBENGAGE_API_KEY',
      cwd: dir,
      input: KEY,
    });
    expect(ran.filter(({ command, input }) => command.includes(KEY) || input === KEY)).toHaveLength(1);
    expect(operator.shown()).not.toContain(KEY);
    for (const file of ['wrangler.jsonc', 'package.json', 'src/worker.js', '.gitignore'])
      expect(await readFile(join(dir, file), 'utf8')).not.toContain(KEY);
  });

  test('the admin token is created, set and shown once', async () => {
    const operator = playedOperator(ANSWERS);
    const { run, ran } = playedRun();

    await init(options(), { own, ...operator, env: {}, run });

    const { input = '' } = ran.find(({ command }) => command.endsWith('put ADMIN_TOKEN')) ?? {};
    expect(input).toMatch(/^[\w-]{43}$/);
    expect(operator.shown().split(input)).toHaveLength(2);
  });

  test('the admin token is not created if it is not wanted', async () => {
    const { run, ran } = playedRun();

    await init(options(), { own, ...playedOperator({ ...ANSWERS, ADMIN_TOKEN: 'no' }), env: {}, run });

    expect(ran.map(({ command }) => command)).not.toContain('npx wrangler secret put ADMIN_TOKEN');
  });

  test('a user who is not signed in to Cloudflare is signed in first', async () => {
    const { run, ran } = playedRun({ whoami: 1 });

    await init(options(), { own, ...playedOperator(ANSWERS), env: {}, run });

    expect(ran.map(({ command }) => command)).toEqual([
      'npm install',
      'npx wrangler whoami --json',
      'npx wrangler login',
      'npx wrangler secret put WEBENGAGE_API_KEY',
      'npx wrangler secret put ADMIN_TOKEN',
    ]);
  });

  test.each([
    ['npm install', 'npm install'],
    ['login', 'npx wrangler login'],
    ['put WEBENGAGE_API_KEY', 'npx wrangler secret put WEBENGAGE_API_KEY'],
  ])(
    'if “%s” fails the files exist, and the message names it and lists the remaining steps',
    async (failing, command) => {
      const operator = playedOperator(ANSWERS);
      const { run } = playedRun({ whoami: 1, [failing]: 1 });

      expect(await init(options(), { own, ...operator, env: {}, run })).toBe(1);

      expect(await configured()).toContain('~abc');
      expect(operator.shown()).toContain(
        `\`${command}\` failed, so no secret is set. Correct that, then continue with these steps.\n\nNext:`,
      );
      expect(operator.shown().split('Next:')[1]).toContain('npx wrangler secret put WEBENGAGE_API_KEY');
    },
  );

  test.each([
    ['npm install', 'the key'],
    ['whoami', 'the key'],
    ['login', 'the key'],
    ['put WEBENGAGE_API_KEY', 'the key'],
    ['put ADMIN_TOKEN', 'ADMIN_TOKEN'],
  ])('Ctrl-C during “%s” exits with 130, and the message says what is not set', async (step, unset) => {
    const operator = playedOperator(ANSWERS);
    const { run, ran } = playedRun({ [step]: INTERRUPTED, whoami: step === 'whoami' ? INTERRUPTED : 1 });

    expect(await init(options(), { own, ...operator, env: {}, run })).toBe(130);

    expect(ran.at(-1)?.command).toContain(step);
    expect(operator.shown()).toContain(`Interrupted: the files are written, ${unset} is not set.\n\nNext:`);
  });

  test('if only the token was not set, only that step remains, and the token is not shown', async () => {
    const operator = playedOperator(ANSWERS);
    const { run } = playedRun({ 'put ADMIN_TOKEN': 1 });

    expect(await init(options(), { own, ...operator, env: {}, run })).toBe(1);

    expect(
      operator
        .shown()
        .match(/npx wrangler secret put \w+/g)
        ?.at(-1),
    ).toBe('npx wrangler secret put ADMIN_TOKEN');
    expect(operator.shown().split('Next:')[1]).not.toContain('WEBENGAGE_API_KEY');
    expect(operator.shown()).toContain('failed, so no ADMIN_TOKEN is set');
    expect(operator.shown()).not.toContain('shown only once');
  });
});

test('a build without a terminal takes the key from the variable and creates no token for the log', async () => {
  const operator = playedPipe();
  const { run, ran } = playedRun({ whoami: 1 });

  const code = await init(options(GIVEN), { own, ...operator, env: { WEBENGAGE_API_KEY: KEY }, run });

  expect(code).toBe(0);
  expect(ran.map(({ command }) => command)).toEqual([
    'npm install',
    'npx wrangler whoami --json',
    'npx wrangler secret put WEBENGAGE_API_KEY',
  ]);
  expect(operator.shown().split('Next:')[1]).not.toContain('secret put');
});
