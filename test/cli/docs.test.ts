import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { understood } from '../fakes/cli/command-line.ts';
import { README_STUB } from '../readme-stub.ts';

const documents = [
  'README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));

/** Every command line that a document shows, without its comment. */
const shown = documents.flatMap((document) =>
  [...readFileSync(document, 'utf8').matchAll(/npx webengage-relay(?:@[\d.]+)? ([^`\n#]+)/g)].map(
    ([, line = '']) => ({ document, line: line.trim() }),
  ),
);

test('the commands in the documents exist', () => {
  expect(shown.map(({ document }) => document)).toContain('README.md');
});

test.each(shown)('$document: $line', async ({ line }) => {
  const words = line
    .replace('<url>', 'https://t.example.com')
    .split(/\s+/)
    .map((word) => word.replace(/^'(.*)'$/, '$1'));

  expect((await understood(words)).complained).toBe('');
});

test('the documented CSP allows the stub', () => {
  const [, script = ''] = /^<script>(.*)<\/script>$/.exec(README_STUB) ?? [];
  const hash = createHash('sha256').update(script).digest('base64');

  expect(readFileSync('docs/guides/deploying.md', 'utf8')).toContain(`'sha256-${hash}'`);
});
