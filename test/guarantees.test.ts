import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isThere, testsNamedIn } from './named-tests.ts';
import { anchorOf } from './samples/markdown.ts';

const DOCUMENT = 'docs/reference/guarantees.md';

const [, section = ''] = readFileSync('README.md', 'utf8').split('\n## Guarantees\n');
const promised = (section.split('\n## ')[0] ?? '').split(/^(?=- )/m).filter((item) => item.startsWith('- '));

const [, ...sections] = readFileSync(DOCUMENT, 'utf8').split('\n## ');
const guarantees = sections
  .map((text) => ({ name: text.split('\n')[0] ?? '', text }))
  .filter(({ text }) => text.includes('\n| test | fault |\n'));

test('are at least fourteen', () => {
  expect(guarantees.length).toBeGreaterThanOrEqual(14);
});

test('six of them are in the README, each with a figure and a link to its section', () => {
  const names = guarantees.map(({ name }) => name);

  expect(promised).toHaveLength(6);
  for (const item of promised) {
    const [, name = '', target] = /^- \*\*\[(.+)\]\((.+)\)\*\*: /.exec(item) ?? [];
    expect(names).toContain(name);
    expect(target).toBe(`${DOCUMENT}#${anchorOf(name)}`);
    expect(item.replace(/\]\(.*?\)/g, '')).toMatch(/\d/);
  }
});

describe.each(guarantees)('$name', ({ text }) => {
  test('states its limit', () => {
    expect(text).toMatch(/^\*\*Not\*\*: \S/m);
  });

  test('names tests that exist', () => {
    const [, table = ''] = text.split('\n| test | fault |\n|---|---|\n');
    const rows = table.split('\n').filter((line) => line.startsWith('|'));

    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      const named = testsNamedIn(DOCUMENT, row);
      expect(named, row).not.toEqual([]);
      expect(named.filter((each) => !isThere(each))).toEqual([]);
    }
  });
});

test('a missing test, or one with another title, is found', () => {
  const row =
    '[size](../../test/size.test.ts) “no such title”, “%s is within its budget” and [gone](../../test/gone.test.ts) “x”';

  expect(testsNamedIn(DOCUMENT, row).map(isThere)).toEqual([false, true, false]);
});
