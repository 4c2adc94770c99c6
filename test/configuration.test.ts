import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readKeys } from '../src/edge/auth/identity-key.ts';
import { readSettings } from '../src/edge/settings/settings.ts';
import type { SettingsEnv } from '../src/edge/settings/settings-env.ts';

const DOCUMENT = readFileSync('docs/reference/settings.md', 'utf8');

/** The rows of a table, by the cells of its head, without their formatting. */
function rowsUnder(...head: readonly string[]): readonly Readonly<Record<string, string>>[] {
  const [, ...tables] = DOCUMENT.split(`\n| ${head.join(' | ')} |\n`);
  return tables.flatMap((table) => {
    const lines = table.split('\n').slice(1);
    const end = lines.findIndex((line) => !line.startsWith('|'));
    return lines.slice(0, end).map((line) => {
      const cells = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', ''));
      return Object.fromEntries(head.map((name, at) => [name.replaceAll('`', ''), cells[at] ?? '']));
    });
  });
}

const words = rowsUnder('setting', 'kind', 'default', 'may be', 'else 503');
const numbers = rowsUnder('setting', 'kind', 'default', 'from', 'to', 'else 503');

const source = (file: string) => readFileSync(file, 'utf8');
const wrangler = source('wrangler.jsonc');

const SET: SettingsEnv = {
  WEBENGAGE_API_KEY: 'a-key',
  WEBENGAGE_LICENSE_CODE: '~47b6655b',
  ALLOWED_ORIGINS: 'https://shop.example.com',
};

const refusal = (env: SettingsEnv): string | undefined => {
  const read = readSettings({ ...SET, ...env });
  return read.ok ? undefined : read.message;
};

describe('the settings', () => {
  test('are those of the relay, each once', () => {
    const [, declared = ''] =
      /export type SettingsEnv = \{(.*?)\n\};/s.exec(source('src/edge/settings/settings-env.ts')) ?? [];
    const names = [...declared.matchAll(/readonly ([A-Z_]+)\?: string/g)].map(([, name]) => name);

    expect([...words, ...numbers].map(({ setting }) => setting).toSorted()).toEqual(names.toSorted());
  });

  test('are secret where they stand in no wrangler.jsonc', () => {
    const [, comment = ''] = /^ *\/\/ (.*) are secrets/m.exec(wrangler) ?? [];
    const secrets = words.filter(({ kind }) => kind === 'secret').map(({ setting }) => setting);

    expect(secrets.toSorted()).toEqual(comment.match(/[A-Z_]{4,}/g)?.toSorted());
    for (const { kind } of numbers) expect(kind).toBe('variable');
  });

  test.each(words.filter((row) => row.default === 'none: must be set'))(
    '$setting must be set',
    ({ setting = '' }) => {
      expect(refusal({ [setting]: '' })).toContain(setting);
    },
  );

  test.each(words.filter((row) => row.default !== 'none: must be set'))(
    '$setting may be left out',
    ({ setting = '' }) => {
      expect(refusal({ [setting]: undefined })).toBeUndefined();
    },
  );

  test('are not set where they are empty, but for IDENTITY: what was meant by that must not be guessed', () => {
    const optional = [...words, ...numbers].filter((row) => row.default !== 'none: must be set');
    const refused = optional.filter(({ setting = '' }) => refusal({ [setting]: '' }) !== undefined);

    expect(refused.map(({ setting }) => setting)).toEqual(['IDENTITY']);
  });

  test.each([
    ['WEBENGAGE_REGION', 'global', 'in', 'ksa'],
    ['IDENTITY', 'off', 'optional', 'required'],
  ])('%s is what is listed, the first where it is not set', (setting, ...listed) => {
    const row = words.find((each) => each.setting === setting);
    const read = (value?: string) => readSettings({ ...SET, IDENTITY_KEY: 'k'.repeat(32), [setting]: value });

    expect(row).toMatchObject({ default: listed[0], 'may be': listed.join(', ') });
    expect(read()).toEqual(read(listed[0]));
    for (const value of listed) expect(read(value).ok).toBe(true);
  });
});

describe('a value that can’t be is refused in the words that are shown', () => {
  const WRONG: Readonly<Record<string, string>> = {
    WEBENGAGE_API_KEY: 'a key',
    WEBENGAGE_API_KEY_SECONDARY: 'a key',
    WEBENGAGE_LICENSE_CODE: '../',
    WEBENGAGE_REGION: 'mars',
    WEBENGAGE_HOST: 'https://evil.example',
    ALLOWED_ORIGINS: 'https://shop.example.com/',
    SERVER_TOKEN: 'short',
    IDENTITY: 'on',
    TRACKING_PLAN: 'on',
    LOCATION_HINT: 'mars',
    JURISDICTION: 'mars',
  };

  test.each(words.filter(({ setting = '' }) => setting in WRONG))('$setting', (row) => {
    const { setting = '', 'else 503': shown = '' } = row;

    expect(refusal({ [setting]: WRONG[setting] })).toContain(shown);
  });

  test.each(numbers)('$setting: $from to $to, $default where it is not set', (row) => {
    const { setting = '', from = '', to = '', default: otherwise = '', 'else 503': shown } = row;
    const read = (value: string) => readSettings({ ...SET, [setting]: value });

    expect(readSettings(SET)).toEqual(read(otherwise));
    for (const value of [from, to]) expect(read(value).ok, value).toBe(true);
    for (const value of [`${Number(from) - 1}`, `${Number(to) + 1}`, `${from}.5`, 'some'])
      expect(read(value), value).toEqual({ ok: false, message: shown });
  });

  test('IDENTITY_KEY, once it is looked at', async () => {
    const row = words.find(({ setting }) => setting === 'IDENTITY_KEY');

    expect(await readKeys('{}')).toMatchObject({
      ok: false,
      message: expect.stringContaining(row?.['else 503'] ?? '-'),
    });
    expect(refusal({ IDENTITY: 'optional' })).toContain('IDENTITY_KEY is not set');
    expect(refusal({ IDENTITY_KEY: 'short' })).toBeUndefined();
  });

  test('and of ADMIN_TOKEN none is: the door stays shut', () => {
    expect(words.find(({ setting }) => setting === 'ADMIN_TOKEN')?.['else 503']).toBe('none: /admin is 404');
    expect(refusal({ ADMIN_TOKEN: 'short' })).toBeUndefined();
  });

  test('so all are tried', () => {
    const tried = [...Object.keys(WRONG), 'IDENTITY_KEY', 'ADMIN_TOKEN'];

    expect(words.map(({ setting }) => setting).toSorted()).toEqual(tried.toSorted());
  });
});

test('the bindings are those that the Worker’s types name', () => {
  const declared = `${source('src/edge/durable-objects/env.ts')}${source('src/edge/durable-objects/outbox.ts').split('export class')[0]}`;
  const names = [...declared.matchAll(/^ {2}readonly ([A-Z_]+)\??: (?:Durable|RateLimit|Analytics)/gm)].map(
    ([, name]) => name,
  );

  expect(
    rowsUnder('binding', 'why', 'without it')
      .map(({ binding }) => binding)
      .toSorted(),
  ).toEqual(names.toSorted());
});

test('what stands beside the bindings in wrangler.jsonc is told of, and nothing else', () => {
  const [, list = ''] = DOCUMENT.split('Beside them:\n\n');
  const told = [...(list.split('\n\n')[0] ?? '').matchAll(/^- `(\w+)/gm)].map(([, name]) => name);
  const keys = [...wrangler.matchAll(/^ {2}"(\w+)":/gm)].map(([, name]) => name);
  const own = ['name', 'main', 'durable_objects', 'ratelimits', 'vars'];

  expect(told.toSorted()).toEqual(keys.filter((key) => !own.includes(key ?? '')).toSorted());
});

test('the quotas are those of docs/reference/scale.md and of the code', () => {
  const scale = source('docs/reference/scale.md');
  const rows = rowsUnder('of', 'at most').map((row) => row['at most'] ?? '');
  const [address, browser] = rows;
  const [shares, work] = [rows.slice(2, 4), rows.slice(4)];
  const inCode = (file: string, name: string) =>
    Number(new RegExp(`${name} = ([\\d.]+);`).exec(source(`src/edge/${file}`))?.[1]);

  for (const quota of [address, browser]) expect(scale).toContain(`| ${quota}`);
  expect(wrangler).toContain('{ "limit": 1000, "period": 10 }');
  expect(source('src/edge/limits/sender-limits.ts')).toContain(
    'OF_BROWSER = { burst: 600, requestsPerMinute: 600 }',
  );
  expect(shares.map((share) => Number.parseInt(share, 10))).toEqual([
    inCode('limits/fair-share.ts', 'DEVICE_SHARE') * 100,
    inCode('limits/fair-share.ts', 'NETWORK_SHARE') * 100,
  ]);
  expect(work.map((perSecond) => Number.parseInt(perSecond.replace(',', ''), 10) * 60)).toEqual(
    [...source('src/edge/limits/fair-share.ts').matchAll(/_WORK[^{]*\{ requestsPerMinute: ([\d_]+)/g)].map(
      ([, perMinute = '']) => Number(perMinute.replaceAll('_', '')),
    ),
  );
});

test('the headers of what is served are those of the package', () => {
  const served = source('src/edge/public/_headers')
    .split('\n\n')
    .map((block) => [/^\/\S+/m.exec(block)?.[0], /Cache-Control: (.*)/.exec(block)?.[1]])
    .filter(([, kept]) => kept !== undefined);

  expect(rowsUnder('path', '`Cache-Control`').map((row) => [row.path, row['Cache-Control']])).toEqual(served);
});
