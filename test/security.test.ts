import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isThere, testsNamedIn } from './named-tests.ts';

const document = readFileSync('docs/reference/security.md', 'utf8');

const [, list = ''] = document.split('\n## Threats, controls, tests\n');

/** The threats: number, and what stands below it, its tests among it. */
const threats = (list.split('\n## ')[0] ?? '')
  .split(/^(?=\d+\. )/m)
  .slice(1)
  .map((text) => ({ number: Number.parseInt(text, 10), text }));

test('every threat is listed, in order', () => {
  expect(threats.map(({ number }) => number)).toEqual(threats.map((_, index) => index + 1));
  expect(threats.length).toBeGreaterThanOrEqual(28);
});

describe('the test of a threat exists', () => {
  test.each(threats)('$number', ({ text }) => {
    const named = testsNamedIn('docs/reference/security.md', text);

    // One is answered by how a site is set up: there is nothing of ours that could be tested.
    if (named.length === 0) expect(text).toContain('No test:');
    expect(named.filter((each) => !isThere(each))).toEqual([]);
  });

  test('for all threats but one', () => {
    expect(threats.filter(({ text }) => text.includes('No test:')).map(({ number }) => number)).toEqual([22]);
  });
});

test('security.md and the README warn that without tokens anyone can write as anyone, and how to prevent it', () => {
  for (const text of [document, readFileSync('README.md', 'utf8')])
    expect(text).toMatch(/With `IDENTITY` off[^.]*anyone who knows\s+a user's id can write as that user/);
});

test('a deployed relay has no previews and no request log', () => {
  const deployed = readFileSync('wrangler.jsonc', 'utf8');

  expect(deployed).toMatch(/^ {2}"preview_urls": false,$/m);
  expect(deployed).toContain('"logs": { "invocation_logs": false }');
});

test('the relay reads as many headers of a request as threat 5 says', () => {
  const code = readdirSync('src/edge', { recursive: true, encoding: 'utf8' })
    // These read the headers of answers.
    .filter((file) => file.endsWith('.ts') && !/^(alerts|delivery)\//.test(file))
    .map((file) => readFileSync(`src/edge/${file}`, 'utf8'))
    .join('\n');
  const read = code.matchAll(/\.header\('([\w-]+)'\)|headers\.get\('([\w-]+)'\)|'(Sec-Fetch-\w+)':/g);

  const names = new Set([...read].map(([, one, other, third]) => one ?? other ?? third));
  expect([...names].toSorted()).toEqual([
    'Accept',
    'Access-Control-Request-Headers',
    'Authorization',
    'CF-Connecting-IP',
    'Content-Encoding',
    'Content-Length',
    'Content-Type',
    'Origin',
    'Sec-Fetch-Dest',
    'Sec-Fetch-Mode',
    'Sec-Fetch-Site',
    'User-Agent',
  ]);
  expect(document).toContain('It reads twelve headers of a request.');
});
