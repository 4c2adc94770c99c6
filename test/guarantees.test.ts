import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isThere, testsNamedIn } from './named-tests.ts';

const DOCUMENT = 'docs/reference/guarantees.md';

const [, table = ''] = readFileSync('README.md', 'utf8').split('\n## What is guaranteed\n');
const promised = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| \*\*(.+)\*\* \|/gm)].map(
  ([, name = '']) => name,
);

const [, ...sections] = readFileSync(DOCUMENT, 'utf8').split('\n## ');
const guarantees = sections
  .map((text) => ({ name: text.split('\n')[0] ?? '', text }))
  .filter(({ text }) => text.includes('\n| test | fault |\n'));

test('what the README promises is told in full, in its order', () => {
  expect(guarantees.map(({ name }) => name)).toEqual(promised);
  expect(promised.length).toBeGreaterThanOrEqual(14);
});

describe.each(guarantees)('$name', ({ text }) => {
  test('says where it ends', () => {
    expect(text).toMatch(/^\*\*Not\*\*: \S/m);
  });

  test('is held by tests that are there', () => {
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

test('a test that is not there, or has another title, is missed', () => {
  const row =
    '[size](../../test/size.test.ts) “no such title”, “%s is within its budget” and [gone](../../test/gone.test.ts) “x”';

  expect(testsNamedIn(DOCUMENT, row).map(isThere)).toEqual([false, true, false]);
});
