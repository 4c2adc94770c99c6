import { describe, expect, test } from 'vitest';
import { VERSION } from '../../src/contract/version.ts';
import { understood } from '../fakes/cli/command-line.ts';

// Where an import's rows go, by default.
const SENDING = { tokenEnv: 'SERVER_TOKEN', requestsPerMinute: 250 };

describe('a command gets its options, and its exit code becomes the program’s', () => {
  test.each([
    ['dev', { port: 8787, sandboxPort: 8788, pagePort: 8789 }],
    [
      'dev --port 1 --sandbox-port 65535 --page-port 3 --origins http://shop.test:3000',
      { port: 1, sandboxPort: 65_535, pagePort: 3, origins: 'http://shop.test:3000' },
    ],
    [
      'dev --profile webengage-profile.json',
      { port: 8787, sandboxPort: 8788, pagePort: 8789, profile: 'webengage-profile.json' },
    ],
    ['probe', { out: 'webengage-profile.json' }],
    [
      'probe --license ~abc --region ksa --out account.json --step',
      { license: '~abc', region: 'ksa', out: 'account.json', step: true },
    ],
    ['probe -y', { out: 'webengage-profile.json', yes: true }],
    ['init', { dir: '.', secrets: true }],
    [
      'init shop --license ~abc --region in --origins https://a.example --name shop-relay --domain t.a.example --yes --force --no-secrets --check-key',
      {
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
    ],
    ['init -y', { dir: '.', secrets: true, yes: true }],
    ['types', { plan: 'tracking-plan.json', name: 'Events' }],
    [
      'types plans/shop.json --out src/events.ts --name ShopEvents --check',
      { plan: 'plans/shop.json', out: 'src/events.ts', name: 'ShopEvents', check: true },
    ],
    [
      'import users.csv --kind users --dry-run',
      {
        file: 'users.csv',
        kind: 'users',
        timeZone: 'UTC',
        maxEventAge: 2_678_400_000,
        dryRun: true,
        ...SENDING,
      },
    ],
    [
      'import - --kind events --format csv --delimiter tab --map map.json --column E-mail=email --column Notes= --plan plan.json --date-format dd/MM/yyyy --time-zone Europe/Berlin --repair --max-event-age 12h --allow-old-events --dry-run --rejects rejects.ndjson --json',
      {
        file: '-',
        kind: 'events',
        format: 'csv',
        delimiter: '\t',
        map: 'map.json',
        column: [
          ['E-mail', { field: 'email' }],
          ['Notes', null],
        ],
        plan: 'plan.json',
        dateFormat: 'dd/MM/yyyy',
        timeZone: 'Europe/Berlin',
        repair: true,
        maxEventAge: 43_200_000,
        allowOldEvents: true,
        dryRun: true,
        rejects: 'rejects.ndjson',
        json: true,
        ...SENDING,
      },
    ],
    [
      'import a.csv --kind users --direct --license-code ~abc --region in --requests-per-minute 400 --journal a.journal',
      {
        file: 'a.csv',
        kind: 'users',
        timeZone: 'UTC',
        maxEventAge: 2_678_400_000,
        ...SENDING,
        direct: true,
        licenseCode: '~abc',
        region: 'in',
        requestsPerMinute: 400,
        journal: 'a.journal',
      },
    ],
    ['doctor t.example.com', { url: 'https://t.example.com' }],
    ['doctor https://t.example.com/', { url: 'https://t.example.com' }],
    ['doctor http://127.0.0.1:8787', { url: 'http://127.0.0.1:8787' }],
    ['doctor localhost:8787', { url: 'http://localhost:8787' }],
    ['doctor [::1]:8787', { url: 'http://[::1]:8787' }],
    ['doctor localhost.example.com', { url: 'https://localhost.example.com' }],
    [
      'doctor 127.0.0.1:8787 --origin localhost:3000',
      { url: 'http://127.0.0.1:8787', origin: 'http://localhost:3000' },
    ],
    ['doctor https://example.com/relay/', { url: 'https://example.com/relay' }],
    [
      'doctor t.example.com --origin https://a.example --admin-token-env TOKEN --json',
      { url: 'https://t.example.com', origin: 'https://a.example', adminTokenEnv: 'TOKEN', json: true },
    ],
    // A page stands for its site.
    [
      'doctor t.example.com --origin https://Shop.example.com/cart/',
      { url: 'https://t.example.com', origin: 'https://shop.example.com' },
    ],
  ])('%s', async (line, options) => {
    const [command] = line.split(' ');

    expect(await understood(line.split(' '))).toEqual({
      code: 1,
      command,
      options,
      printed: '',
      complained: '',
    });
  });
});

describe('help', () => {
  test.each(['--help', '-h', 'help'])('%s lists every command', async (flag) => {
    const { code, printed, complained } = await understood([flag]);

    expect([code, complained]).toEqual([0, '']);
    for (const command of ['dev', 'init', 'doctor', 'types', 'import', 'probe', 'erase'])
      expect(printed).toContain(`\n  ${command} [`);
  });

  test.each([
    ['dev', ['port', 'sandbox-port', 'page-port', 'origins', 'profile']],
    ['init', ['license', 'region', 'origins', 'name', 'domain', 'check-key', 'no-secrets', 'yes', 'force']],
    ['doctor', ['origin', 'admin-token-env', 'json']],
    ['types', ['out', 'name', 'check']],
    [
      'import',
      [
        'kind',
        'format',
        'delimiter',
        'map',
        'column',
        'plan',
        'date-format',
        'time-zone',
        'repair',
        'max-event-age',
        'allow-old-events',
        'dry-run',
        'rejects',
        'json',
        'relay',
        'token-env',
        'direct',
        'license-code',
        'region',
        'requests-per-minute',
        'journal',
      ],
    ],
    ['probe', ['license', 'region', 'out', 'step', 'yes']],
    ['erase', ['relay', 'user-id', 'anonymous-id', 'upstream', 'lift', 'token-env', 'json']],
  ])('the help of %s lists all its flags, in each of its three forms', async (command, flags) => {
    const { code, printed, complained, ...ran } = await understood([command, '--help']);

    expect([code, complained, ran.command]).toEqual([0, '', undefined]);
    expect(printed).toContain(`Usage: webengage-relay ${command} [options]`);
    const shown = [...printed.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, flag]) => flag);
    expect(shown).toEqual([...flags, 'help']);
    for (const args of [
      ['help', command],
      [command, '-h'],
    ])
      expect(await understood(args)).toMatchObject({ code: 0, printed });
  });

  test.each(['--version', '-v'])('%s prints the package’s version', async (flag) => {
    expect(await understood([flag])).toMatchObject({ code: 0, printed: `${VERSION}\n` });
  });
});

describe('an invalid command line runs nothing, and ends with 2 and a message', () => {
  test.each([
    [[], 'Usage: webengage-relay [options] [command]'],
    [['deploy'], "unknown command 'deploy'"],
    [['docter'], 'Did you mean doctor?'],
    [['help', 'docter'], 'Usage: webengage-relay [options] [command]'],
    [['--verbose'], "unknown option '--verbose'"],
    [['dev', 'a'], "too many arguments for 'dev'"],
    [['dev', '--prot', '1'], 'Did you mean --port?'],
    [['dev', '--port', 'a'], 'a port must be a whole number from 1 to 65535'],
    [['dev', '--sandbox-port', '0'], 'a port must be'],
    [['dev', '--page-port', '65536'], 'a port must be'],
    [['dev', '--port', '8788'], 'relay, sandbox and page must have different ports'],
    [['dev', '--origins', 'http://a.example/'], '--origins must list origins'],
    [['init', '--fast'], "unknown option '--fast'"],
    [['init', '--license'], "option '--license <code>' argument missing"],
    [['init', 'a', 'b'], "too many arguments for 'init'"],
    [['init', '--license', '~a b'], '--license must be set, and hold only letters'],
    [['init', '--region', 'mars'], '--region must be global, in or ksa'],
    [['init', '--origins', 'shop.example.com'], '--origins must list origins as browsers write them'],
    [['init', '--origins', ''], '--origins must list the sites that may send'],
    [['init', '--name', 'Shop Relay'], '--name must be'],
    [['init', '--name', '-'], '--name must be'],
    [['init', '--domain', 'https://t.example.com'], '--domain must be a host name'],
    [['init', '--domain', 't.example.com/relay'], '--domain must be a host name'],
    [['init', '--domain', 'T.example.com'], '--domain must be a host name'],
    [['init', '--domain', 'localhost'], '--domain must be a host name'],
    [['init', '--domain', '10.0.0.1'], '--domain must be a host name'],
    [['doctor'], "missing required argument 'url'"],
    [['doctor', 'a.example', 'b.example'], "too many arguments for 'doctor'"],
    [['doctor', 't.example.com', '--origin', '*'], "--origin must be a site's address"],
    [['doctor', 'ftp://t.example.com'], 'must be an http or https URL'],
    [['doctor', 'https://user@t.example.com'], 'must be an http or https URL'],
    [['doctor', 'https://:password@t.example.com'], 'must be an http or https URL'],
    [['doctor', 'https://t.example.com/?a=b'], 'must be an http or https URL'],
    [['probe', '--license', '~a b'], '--license must be set, and hold only letters'],
    [['probe', '--region', 'mars'], '--region must be global, in or ksa'],
    [['probe', '--yes', '--step'], '--yes asks nothing'],
    [['types', 'a.json', 'b.json'], "too many arguments for 'types'"],
    [['types', '--check'], '--check needs --out'],
    [['types', '--name', 'string'], '--name must be the name of a type'],
    [['types', '--name', 'Date'], '--name must be the name of a type'],
    [['types', '--name', 'Record'], '--name must be the name of a type'],
    [['types', '--name', 'A; import x'], '--name must be the name of a type'],
    [['import', '--kind', 'users'], "missing required argument 'file'"],
    [['import', 'a.csv'], "required option '--kind <kind>' not specified"],
    [['import', 'a.csv', '--kind', 'user'], '--kind must be one of users, events'],
    [['import', 'a.csv', '--kind', 'users'], 'say where the rows go'],
    [['import', 'a.csv', '--format', 'xlsx'], '--format must be one of csv, json, ndjson'],
    [['import', 'a.csv', '--delimiter', ':'], '--delimiter must be one of , ; | tab'],
    [['import', 'a.csv', '--column', 'email'], '--column must be a column and a field'],
    [['import', 'a.csv', '--date-format', 'd.M.y'], '--date-format must be one of iso, dd/MM/yyyy'],
    [
      ['import', 'a.csv', '--max-event-age', '31'],
      '--max-event-age must be days or hours, such as 31d or 12h',
    ],
    [['import', 'a.csv', '--max-event-age', '0d'], '--max-event-age must be days or hours'],
  ])('%j', async (args, message) => {
    const { code, command, printed, complained } = await understood(args);

    expect([code, command, printed]).toEqual([2, undefined, '']);
    expect(complained).toContain(message);
    // Where to look, unless that is what it has shown.
    const commands = ['dev', 'init', 'doctor', 'types', 'import', 'probe'];
    const known = commands.find((name) => name === args[0]) ?? '<command>';
    expect(complained).toMatch(new RegExp(`webengage-relay help ${known}|^Usage: `));
  });

  test('the message begins with the program’s name and suggests the right flag', async () => {
    expect((await understood(['dev', '--prot', '1'])).complained).toBe(
      `webengage-relay: unknown option '--prot'
(Did you mean --port?)
Try webengage-relay help dev.
`,
    );
  });
});

describe('a secret on the command line is refused and not shown', () => {
  test.each([
    [['init', '--key', 'a-secret']],
    [['init', '--api-key=a-secret']],
    [['init', '--webengage-api-key=a-secret']],
    [['init', '--admin-token', 'a-secret']],
    [['probe', '--api-key', 'a-secret']],
    [['init', "--unknown=a-secret's-end"]],
    [['init', 'my-relay', 'a-secret']],
    [['init', '--license', 'a-secret !']],
    [['doctor', 'https://:a-secret@t.example.com']],
    [['doctor', '--token=a-secret', 't.example.com']],
  ])('%j', async (args) => {
    const { code, command, complained } = await understood(args);

    expect([code, command]).toEqual([2, undefined]);
    expect(complained).toContain('webengage-relay: ');
    expect(complained).not.toMatch(/a-secret/);
  });

  test.each(['--key', '--api-key', '--webengage-api-key', '--admin-token'])(
    '%s is refused with the reason, and the help does not list it',
    async (flag) => {
      const { complained } = await understood(['init', `${flag}=a-secret`]);
      const { printed } = await understood(['init', '--help']);

      expect(complained).toContain(
        `there is no ${flag}, because a secret in a flag stays in the shell's history`,
      );
      expect(printed).not.toContain(` ${flag} `);
    },
  );
});
