import { describe, expect, test } from 'vitest';
import { CANNOT_RUN } from './cannot-run.ts';
import { unchecked } from './commands.ts';
import { named, type Sample, samplesIn } from './markdown.ts';
import { SAMPLES } from './samples.ts';
import { askedFor } from './sources.ts';

const asked = askedFor('sample');
const languages = askedFor('samplesOf');

/** What a sample still needs; undefined where a test runs it. */
function missing({ name, language, text }: Sample): string | undefined {
  if (asked.has(name) || name in CANNOT_RUN) return undefined;
  if (language === '') return 'a language: ```text, if it is a picture and nothing to run';
  if (language === 'text') return undefined;
  const [command] = language === 'sh' ? unchecked(text) : [];
  if (languages.has(language) && command === undefined) return undefined;
  const what = command === undefined ? '' : ` (nothing knows how to check “${command.split('\n')[0]}”)`;
  return `a test that runs it${what}: one that asks for it by sample('${name}'). See test/samples/samples.ts`;
}

test.each(SAMPLES)('a test runs $name', (sample) => {
  expect(missing(sample), `${sample.document}:${sample.line} needs`).toBeUndefined();
});

test('samples declared impossible to run exist and do not run', () => {
  for (const name of Object.keys(CANNOT_RUN)) {
    expect(named(SAMPLES, name).name).toBe(name);
    expect(asked).not.toContain(name);
  }
});

test('samples that tests run exist', () => {
  for (const name of asked) expect(named(SAMPLES, name).name).toBe(name);
});

describe('a block without a test', () => {
  const lacks = (markdown: string) => samplesIn('docs/new.md', markdown).map(missing);

  test.each([
    ['without a language', '```\ncurl\n```', 'a language'],
    ['with figures', '## A heading\n\n```json\n{}\n```', "sample('docs/new.md#a-heading json')"],
    ['in a language without a test', '```rust\nfn main() {}\n```', "sample('docs/new.md rust')"],
    ['with a command that must be run', '```sh\nnpm ci\nrm -rf /\n```', 'how to check “rm -rf /”'],
  ])('%s is reported with what to do', (_, markdown, remedy) => {
    expect(lacks(markdown)).toEqual([expect.stringContaining(remedy)]);
  });

  test('is reported only if no test has its language', () => {
    expect(lacks('```ts\n```\n\n```html\n```\n\n```sh\nnpm ci\n```\n\n```text\n```')).toEqual(
      Array(4).fill(undefined),
    );
  });
});

test('a sample is named by its place, loses its indentation, and must be closed', () => {
  const list =
    '# T\n\n```sh\n# not a heading\n```\n\n### What’s `new`?\n\n1. so:\n\n   ```sh\n   a\n     b\n   ```\n\n```sh\n```';

  expect(samplesIn('a.md', list).map(({ name, line, text }) => [name, line, text])).toEqual([
    ['a.md sh', 3, '# not a heading\n'],
    ['a.md#whats-new sh', 11, 'a\n  b\n'],
    ['a.md#whats-new sh 2', 16, '\n'],
  ]);
  expect(() => samplesIn('a.md', '```ts\nconst a = 1;')).toThrow('a.md:1');
});
