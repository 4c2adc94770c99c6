import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorOf } from './samples/markdown.ts';

const documents = [
  'README.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'examples/README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));

function anchorsOf(document: string): string[] {
  return [...readFileSync(document, 'utf8').matchAll(/^#{2,} (.+)$/gm)].map(([, title = '']) =>
    anchorOf(title),
  );
}

describe.each(documents)('%s', (document) => {
  const targets = [...readFileSync(document, 'utf8').matchAll(/\]\(([^)]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !target.startsWith('http'));

  test('has links to existing files and headings', () => {
    for (const target of targets) {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? document : join(dirname(document), file);

      expect(existsSync(path), target).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(path), target).toContain(anchor);
    }
  });
});

test('the index has every document', () => {
  const index = readFileSync('docs/README.md', 'utf8');

  // Decisions have an index of their own.
  for (const document of documents.filter((each) => /^docs\/(?!README|decisions)/.test(each)))
    expect(index).toContain(`](${relative('docs', document)})`);
});

test('docs/guides/operating.md explains exactly the reported totals', () => {
  const tally = readFileSync('src/edge/queue/counters/totals.ts', 'utf8');
  const [, list = ''] = /const COUNTED = \[(.*?)\]/s.exec(tally) ?? [];
  const counted = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name);
  const operating = readFileSync('docs/guides/operating.md', 'utf8');

  for (const name of counted.filter((each) => each !== 'entered')) expect(operating).toContain(`\`${name}\``);
});
