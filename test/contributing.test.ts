import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorOf } from './samples/markdown.ts';

const DOCUMENT = 'CONTRIBUTING.md';

const text = readFileSync(DOCUMENT, 'utf8');
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The first cell of each row of the document's tables, without its formatting. */
const firstCells = [...text.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = '']) => cell.replaceAll('`', ''));

const foldersOf = (path: string) =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'public')
    .map(({ name }) => `${name}/`);

describe('CONTRIBUTING.md is up to date', () => {
  test.each(['src', 'src/tracker', 'src/edge'])('every folder of %s has its row', (path) => {
    expect(firstCells).toEqual(expect.arrayContaining(foldersOf(path)));
  });

  test('every Vitest project has its row', () => {
    const config = readFileSync('vitest.config.ts', 'utf8');
    const names = [...config.matchAll(/^ +name: '([\w-]+)',$/gm)].map(([, name]) => name);

    expect(names.length).toBeGreaterThan(5);
    expect(firstCells).toEqual(expect.arrayContaining(names));
  });

  test('every named script exists', () => {
    const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);

    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });

  test('every named test file exists', () => {
    const named = [...text.matchAll(/\btest\/[\w/-]+\.test\.ts/g)].map(([path]) => path);

    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });

  test('links lead to existing files and headings', () => {
    const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);

    for (const target of targets.filter((each) => !each.startsWith('http'))) {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? DOCUMENT : join(dirname(DOCUMENT), file);
      expect(existsSync(path), target).toBe(true);
      if (anchor === undefined) continue;
      const headings = [...readFileSync(path, 'utf8').matchAll(/^#{2,} (.+)$/gm)];
      expect(
        headings.map(([, title = '']) => anchorOf(title)),
        target,
      ).toContain(anchor);
    }
  });
});
