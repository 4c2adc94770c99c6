import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ADD_ON_SETTINGS, resolveOptions } from '../src/tracker/options.ts';
import { BUDGETS } from './budgets.ts';
import { README_STUB } from './readme-stub.ts';
import { samplesOf } from './samples/samples.ts';

const readme = await readFile('README.md', 'utf8');

/** The rows of the table under a heading, as cells without their formatting. */
function tableUnder(heading: string): string[][] {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

test('the options and defaults it lists are those of the code', () => {
  const { endpoint: _, ...defaults } = resolveOptions({ endpoint: 'https://t.example.com' });
  const listed = Object.fromEntries(
    tableUnder('Options of the tracker').map(([name = '', value = '']) => [name, value]),
  );

  expect(listed).toEqual({
    endpoint: expect.any(String),
    plugins: 'none',
    ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value ?? false)])),
  });
});

test('the add-on settings it lists are those of the code, with what asks for nothing', () => {
  const listed = tableUnder('Add-ons').map(([attribute, option, , value]) => [option, attribute, value]);

  expect(listed).toEqual(
    Object.entries(ADD_ON_SETTINGS).map(([name, value]) => [
      name,
      `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      String(value ?? 'none'),
    ]),
  );
});

test('the moments it lists are those the tracker tells', async () => {
  const ends = await readFile('src/tracker/page/events.ts', 'utf8');
  const [, declared = ''] = /export type TrackerEvents = \{(.*?)\n\};/s.exec(ends) ?? [];
  const names = [...declared.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
  const listed = tableUnder('What can be lost, and how it is told').map(([name]) => name);

  expect(listed.sort()).toEqual(names.sort());
});

test('its figures of bytes are the budgets that the build keeps', async () => {
  const listed = tableUnder('What it weighs').map(([entry = '', , bytes]) => [entry, bytes]);
  const bytes = (count = 0) => count.toLocaleString('en');

  expect(Object.fromEntries(listed)).toEqual(
    Object.fromEntries(
      Object.entries(BUDGETS).map(([path, budget]) => [`webengage-relay${path.slice(1)}`, bytes(budget)]),
    ),
  );
});

test('the facade is as small as its document says', async () => {
  expect(await readFile('docs/guides/migrating.md', 'utf8')).toContain(`under ${BUDGETS['./segment']} bytes`);
});

test('the one line for a page is the same wherever it is shown', () => {
  for (const { name, text } of samplesOf('html').filter(({ text }) => text.includes('webengageRelay=')))
    expect(text, name).toContain(README_STUB);
});

test('the shop is wired as it says: by the same one line', async () => {
  expect(await readFile('demo/shop/index.html', 'utf8')).toContain(README_STUB);
});
