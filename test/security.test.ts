import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isThere, testsNamedIn } from './named-tests.ts';

const document = readFileSync('docs/reference/security.md', 'utf8');

/** The rows of the table of threats: number, and the cell that names its tests. */
const threats = [...document.matchAll(/^\| (\d+) \| .* \| (.*) \|$/gm)].map(
  ([, number = '', tests = '']) => ({
    number: Number(number),
    tests,
  }),
);

test('every threat has a row, in its order', () => {
  expect(threats.map(({ number }) => number)).toEqual(threats.map((_, index) => index + 1));
  expect(threats.length).toBeGreaterThanOrEqual(28);
});

describe('what is said to be tested is', () => {
  test.each(threats)('$number', ({ tests }) => {
    const named = testsNamedIn('docs/reference/security.md', tests);

    // Two are answered by how a site is set up: there is nothing of ours that could be tested.
    if (named.length === 0) expect(tests).toBe('by this document');
    expect(named.filter((each) => !isThere(each))).toEqual([]);
  });

  test('and one alone rests on words', () => {
    expect(threats.filter(({ tests }) => tests === 'by this document').map(({ number }) => number)).toEqual([
      22,
    ]);
  });
});

test('that anybody writes as anybody without tokens is said where it is read, and what to turn on', () => {
  for (const text of [document, readFileSync('README.md', 'utf8')])
    expect(text).toMatch(/With `IDENTITY` off[^.]*whoever knows\s+a user's id can write as that user/);
});

test('what is deployed has no previews, and no log of requests', () => {
  const deployed = readFileSync('wrangler.jsonc', 'utf8');

  expect(deployed).toMatch(/^ {2}"preview_urls": false,$/m);
  expect(deployed).toContain('"logs": { "invocation_logs": false }');
});
