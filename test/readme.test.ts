import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ADD_ON_SETTINGS, resolveOptions } from '../src/tracker/options.ts';
import { BUDGETS, STUB_BYTES } from './budgets.ts';
import { README_STUB } from './readme-stub.ts';
import { samplesOf } from './samples/samples.ts';
import { tableUnder } from './tables.ts';

const readme = await readFile('README.md', 'utf8');
const options = await readFile('docs/reference/options.md', 'utf8');
const outcomes = await readFile('docs/reference/outcomes.md', 'utf8');
const sizes = await readFile('docs/reference/sizes.md', 'utf8');

const inEnglish = (count = 0) => count.toLocaleString('en');
const namesIn = async (file: string, type: string) => {
  const [, declared = ''] =
    new RegExp(`export type ${type}\\b[^{]* = \\{(.*?)\\n\\};`, 's').exec(await readFile(file, 'utf8')) ?? [];
  return [...declared.matchAll(/^ {2}(?:readonly )?(\w+)[(<?:]/gm)].map(([, name]) => name);
};

test('the README lists the tracker’s methods', async () => {
  const listed = new Set(tableUnder(readme, 'API').map(([call]) => call?.split('(')[0]));

  expect(listed).toEqual(new Set(await namesIn('src/tracker/tracker.ts', 'Tracker')));
});

describe('the options', () => {
  const ENDPOINT = { endpoint: 'https://t.example.com' };
  const rows = tableUnder(options, 'Options of the tracker');
  const numbers = rows.filter((row) => row.length === 5);

  test('and their defaults are those of the code', () => {
    const { endpoint: _, ...defaults } = resolveOptions(ENDPOINT);

    expect(Object.fromEntries(rows.map(([name = '', value = '']) => [name, value]))).toEqual({
      endpoint: expect.any(String),
      plugins: 'none',
      ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value ?? false)])),
    });
  });

  test.each(numbers)('%s: %s, from %s to %s', (name, _, from, to) => {
    const given = (value: number) => () => resolveOptions({ ...ENDPOINT, [name ?? '']: value });

    for (const value of [from, to]) expect(given(Number(value))).not.toThrow();
    for (const value of [Number(from) - 1, Number(to) + 1]) expect(given(value)).toThrow(RangeError);
  });

  test('of add-ons are those of the code, with the values that need no add-on', () => {
    const listed = tableUnder(options, 'Add-ons').map(([attribute, option, , value]) => [
      option,
      attribute,
      value,
    ]);

    expect(listed).toEqual(
      Object.entries(ADD_ON_SETTINGS).map(([name, value]) => [
        name,
        // An attribute can't hold a function.
        name === 'anonymousId'
          ? ''
          : `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
        String(value ?? 'none'),
      ]),
    );
  });
});

describe('the outcomes', () => {
  const tables = tableUnder(outcomes, 'Outcomes of a record').map(([name]) => name);

  test('are those the tracker reports, with every retry reason', async () => {
    const source = await readFile('src/tracker/record/outcome.ts', 'utf8');
    const reasonsOf = (type: string) => {
      const [, union = ''] = new RegExp(`export type ${type} =(.*?);\\n`, 's').exec(source) ?? [];
      return [...union.matchAll(/'(\w+)'/g)].map(([, reason]) => reason);
    };
    const events = await namesIn('src/tracker/page/events.ts', 'TrackerEvents');

    expect(tables.toSorted()).toEqual([...events, ...reasonsOf('RetryReason')].toSorted());
    for (const reason of reasonsOf('DropReason')) expect(outcomes).toContain(`\`${reason}\``);
  });
});

test('the sizes are the budgets that the build checks', () => {
  const listed = tableUnder(sizes, 'Sizes').map(([entry = '', , bytes]) => [entry, bytes]);

  expect(Object.fromEntries(listed)).toEqual(
    Object.fromEntries(
      Object.entries(BUDGETS).map(([path, budget]) => [`webengage-relay${path.slice(1)}`, inEnglish(budget)]),
    ),
  );
  expect(sizes).toContain(`at most ${STUB_BYTES} bytes`);
  expect(readme).toContain(`at most ${inEnglish(BUDGETS['./tracker.js'])} bytes`);
});

test('other documents give the same sizes', async () => {
  expect(await readFile('docs/guides/migrating.md', 'utf8')).toContain(`under ${BUDGETS['./segment']} bytes`);
  expect(await readFile('docs/comparison.md', 'utf8')).toContain(
    `at most ${(BUDGETS['./tracker.js'] ?? 0) / 1_000} KB`,
  );
});

test('the campaign parameters of page views are those of the code', async () => {
  const [, list] =
    /'(utm_source,[\w,]+)'/.exec(await readFile('src/page-views/page-address.ts', 'utf8')) ?? [];
  const [, mentioned = ''] =
    /By default `campaign` is([^.]+)\./.exec(await readFile('docs/guides/page-views.md', 'utf8')) ?? [];

  expect([...mentioned.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(list?.split(','));
});

test('the stub is the same wherever it is shown', () => {
  for (const { name, text } of samplesOf('html').filter(({ text }) => text.includes('webengageRelay=')))
    expect(text, name).toContain(README_STUB);
});

test('the shop uses the same stub as the documents', async () => {
  expect(await readFile('demo/shop/index.html', 'utf8')).toContain(README_STUB);
});
