import { expect, test } from 'vitest';
import { HELP, readCommand } from '../../src/cli/command.ts';

test('dev alone has its three ports, and lets every page in', () => {
  expect(readCommand(['dev'])).toEqual({
    kind: 'dev',
    options: { port: 8787, sandboxPort: 8788, pagePort: 8789 },
  });
});

test('each flag of dev is taken for what it says', () => {
  const line = 'dev --port 1 --sandbox-port 65535 --page-port 3 --origins http://shop.test:3000';

  expect(readCommand(line.split(' '))).toEqual({
    kind: 'dev',
    options: { port: 1, sandboxPort: 65_535, pagePort: 3, origins: 'http://shop.test:3000' },
  });
});

test('init alone makes a relay in this folder, secrets and all', () => {
  expect(readCommand(['init'])).toEqual({
    kind: 'init',
    options: { dir: '.', yes: false, force: false, secrets: true, checkKey: false },
  });
});

test('each flag of init is taken for what it says', () => {
  const line =
    'init shop --license ~abc --region in --origins https://a.example --name shop-relay --domain t.a.example --yes --force --no-secrets --check-key';

  expect(readCommand(line.split(' '))).toEqual({
    kind: 'init',
    options: {
      dir: 'shop',
      license: '~abc',
      region: 'in',
      origins: 'https://a.example',
      name: 'shop-relay',
      domain: 't.a.example',
      yes: true,
      force: true,
      secrets: false,
      checkKey: true,
    },
  });
});

test('types of a tracking plan are printed, or written where they are to be', () => {
  const written = 'types plans/shop.json --out src/events.ts --name ShopEvents --check';

  expect(readCommand(['types'])).toEqual({
    kind: 'types',
    options: { plan: 'tracking-plan.json', name: 'Events', check: false },
  });
  expect(readCommand(written.split(' '))).toEqual({
    kind: 'types',
    options: { plan: 'plans/shop.json', out: 'src/events.ts', name: 'ShopEvents', check: true },
  });
});

test.each([
  ['t.example.com', 'https://t.example.com'],
  ['https://t.example.com/', 'https://t.example.com'],
  ['http://127.0.0.1:8787', 'http://127.0.0.1:8787'],
  ['https://example.com/relay/', 'https://example.com/relay'],
])('doctor takes %s for %s', (given, url) => {
  expect(readCommand(['doctor', given])).toEqual({ kind: 'doctor', options: { url, json: false } });
});

test('each flag of doctor is taken for what it says', () => {
  const line = 'doctor t.example.com --origin https://a.example --admin-token-env TOKEN --json';

  expect(readCommand(line.split(' '))).toMatchObject({
    options: { origin: 'https://a.example', adminTokenEnv: 'TOKEN', json: true },
  });
});

test('a page stands for its site', () => {
  const command = readCommand(['doctor', 't.example.com', '--origin', 'https://Shop.example.com/cart/']);

  expect(command).toMatchObject({ options: { origin: 'https://shop.example.com' } });
});

test.each([[['--help']], [['-h']], [['help']], [['init', '--help']], [['doctor', '-h']], [['dev', '-h']]])(
  '%j asks for help',
  (args) => {
    expect(readCommand(args)).toEqual({ kind: 'help' });
  },
);

test('the help names every flag there is', () => {
  for (const flag of [
    'license',
    'region',
    'origins',
    'name',
    'domain',
    'check-key',
    'no-secrets',
    'yes',
    'force',
  ])
    expect(HELP).toContain(`--${flag} `);
  for (const flag of ['port', 'sandbox-port', 'page-port']) expect(HELP).toContain(`--${flag} `);
  for (const flag of ['origin', 'admin-token-env', 'json', 'out', 'check'])
    expect(HELP).toContain(`--${flag} `);
});

test.each([
  [[], 'dev, init, doctor or types?'],
  [['deploy'], 'there is no command deploy'],
  [['--verbose'], 'there is no flag --verbose'],
  [['dev', 'a'], "unexpected argument 'a'"],
  [['dev', '--port', 'a'], 'a port must be a whole number from 1 to 65535'],
  [['dev', '--sandbox-port', '0'], 'a port must be'],
  [['dev', '--page-port', '65536'], 'a port must be'],
  [['dev', '--port', '8788'], 'relay, sandbox and page must have a port each'],
  [['init', '--fast'], "unknown option '--fast'"],
  [['init', '--license'], "option '--license <value>' argument missing"],
  [['init', 'a', 'b'], 'init takes one folder'],
  [['doctor'], "doctor takes the relay's address, as https://t.example.com"],
  [['types', 'a.json', 'b.json'], 'types takes one tracking plan'],
  [['types', '--check'], '--check needs --out'],
  [['types', '--name', 'string'], '--name must be the name of a type'],
  [['types', '--name', 'Date'], '--name must be the name of a type'],
  [['types', '--name', 'Record'], '--name must be the name of a type'],
  [['types', '--name', 'A; import x'], '--name must be the name of a type'],
  [['doctor', 'a.example', 'b.example'], "doctor takes the relay's address, as https://t.example.com"],
  [['doctor', 't.example.com', '--origin', '*'], "--origin must be a site's address"],
  [['doctor', 'ftp://t.example.com'], 'must be an http or https URL'],
  [['doctor', 'https://user@t.example.com'], 'must be an http or https URL'],
  [['doctor', 'https://:password@t.example.com'], 'must be an http or https URL'],
  [['doctor', 'https://t.example.com/?a=b'], 'must be an http or https URL'],
])('%j is told what is wrong with it', (args, message) => {
  expect(readCommand(args)).toEqual({ kind: 'misuse', message: expect.stringContaining(message) });
});

test.each(['--key', '--api-key', '--webengage-api-key', '--admin-token', '--unknown'])(
  'a secret in %s is not taken, and not told',
  (flag) => {
    const command = readCommand(['init', `${flag}=a-secret-of-mine`]);

    expect(command.kind).toBe('misuse');
    expect(JSON.stringify(command)).not.toContain('a-secret-of-mine');
  },
);
