import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fillPlaces } from '../bench/scale/document.ts';
import { JURISDICTIONS, LOCATION_HINTS } from '../src/edge/settings/placement.ts';
import { IDENTITY_MODES, PLAN_MODES, SETTINGS, type Setting } from '../src/edge/settings/settings-table.ts';
import { REGIONS } from '../src/edge/settings/upstream.ts';
import { MINIMAL, NO_VALUE, refusalOf, SECRETS, SETTING_NAMES, settingsTables } from './settings-tables.ts';

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

const source = (file: string) => readFileSync(file, 'utf8');
const wrangler = source('wrangler.jsonc');

const UPDATE = 'npx vitest run --project pure test/configuration.test.ts --update';

describe('the settings', () => {
  test(`are in docs/reference/settings.md as in the code: else \`${UPDATE}\``, async () => {
    await expect(fillPlaces(DOCUMENT, settingsTables())).toMatchFileSnapshot('../docs/reference/settings.md');
  });

  test('are secret if they are not in wrangler.jsonc', () => {
    const [, comment = ''] = /^ *\/\/ (.*) are secrets/m.exec(wrangler) ?? [];

    expect(SECRETS.toSorted()).toEqual(comment.match(/[A-Z_]{4,}/g)?.toSorted());
  });

  const required = Object.keys(MINIMAL);
  const optional = SETTING_NAMES.filter((name) => !required.includes(name));

  test.each(required)('%s must be set', (name) => {
    for (const nothing of [undefined, '', ' \n'])
      expect(refusalOf({ [name]: nothing })).toContain(`${name} `);
  });

  test.each(optional)('%s may be left out', (name) => {
    expect(refusalOf({ [name]: undefined })).toBeUndefined();
  });

  test('count as unset if they are empty, except for IDENTITY, where that is an error', () => {
    const refused = (text: string) => optional.filter((name) => refusalOf({ [name]: text }) !== undefined);

    expect(refused('')).toEqual(['IDENTITY']);
    expect(refused('\n')).toEqual(['IDENTITY']);
  });
});

describe('an invalid value is refused with the rule of its setting', () => {
  const checkedElsewhere = ['ADMIN_TOKEN', 'IDENTITY_KEY'];
  const ruled = SETTING_NAMES.filter((name) => !checkedElsewhere.includes(name));

  test.each(ruled)('%s', (name) => {
    const { rule }: Setting<unknown> = SETTINGS[name];

    expect(refusalOf({ [name]: NO_VALUE })).toBe(
      `${name} ${typeof rule === 'string' ? rule : rule(NO_VALUE)}`,
    );
  });

  test.each(checkedElsewhere)('%s is not refused here: the code that uses it checks it', (name) => {
    expect(refusalOf({ [name]: NO_VALUE })).toBeUndefined();
  });

  test.each([
    ['WEBENGAGE_REGION', REGIONS],
    ['IDENTITY', IDENTITY_MODES],
    ['TRACKING_PLAN', PLAN_MODES],
    ['LOCATION_HINT', LOCATION_HINTS],
    ['JURISDICTION', JURISDICTIONS],
  ] as const)('%s is one of the words that its rule names', (name, words) => {
    for (const word of words) {
      expect(refusalOf({ IDENTITY_KEY: 'k'.repeat(32), [name]: word }), word).toBeUndefined();
      expect(SETTINGS[name].rule).toMatch(new RegExp(`\\b${word}\\b`));
    }
  });

  const ranges = SETTING_NAMES.flatMap((name) => {
    const { range }: Setting<unknown> = SETTINGS[name];
    return range === undefined ? [] : [[name, ...range] as const];
  });

  test.each(ranges)('%s is a whole number from %d to %d', (name, min, max) => {
    for (const value of [min, max]) expect(refusalOf({ [name]: `${value}` }), `${value}`).toBeUndefined();
    for (const value of [min - 1, max + 1, min + 0.5])
      expect(refusalOf({ [name]: `${value}` }), `${value}`).toBe(`${name} ${SETTINGS[name].rule}`);
  });

  test('an error never contains the value', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SETTING_NAMES), fc.string(), fc.string(), (name, before, after) => {
        const message = refusalOf({ [name]: `${before}canary${after}` });

        expect(message ?? '').not.toContain('canary');
      }),
    );
  });
});

test('the bindings are those of the Worker’s types', () => {
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

test('the document mentions exactly the other entries of wrangler.jsonc', () => {
  const [, list = ''] = DOCUMENT.split('Beside them:\n\n');
  const documented = [...(list.split('\n\n')[0] ?? '').matchAll(/^- `(\w+)/gm)].map(([, name]) => name);
  const keys = [...wrangler.matchAll(/^ {2}"(\w+)":/gm)].map(([, name]) => name);
  const own = ['name', 'main', 'durable_objects', 'ratelimits', 'vars'];

  expect(documented.toSorted()).toEqual(keys.filter((key) => !own.includes(key ?? '')).toSorted());
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

test('the headers of served files are those of the package', () => {
  const served = source('src/edge/public/_headers')
    .split('\n\n')
    .map((block) => [/^\/\S+/m.exec(block)?.[0], /Cache-Control: (.*)/.exec(block)?.[1]])
    .filter(([, kept]) => kept !== undefined);

  expect(rowsUnder('path', '`Cache-Control`').map((row) => [row.path, row['Cache-Control']])).toEqual(served);
});
