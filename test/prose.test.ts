import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { messagesIn, titlesIn } from './literals.ts';
import { bannedIn, bannedInTitles, cellsOf, proseLines, sentencesOf, wordsIn } from './prose.ts';

const MAX_README_BYTES = 14_336;
const MAX_COLUMNS = 140;
const MAX_WORDS = 35;

// The API is made of doc comments, and wrapped as those are.
const ELSEWHERE = /^docs\/(reference\/api|decisions\/000[123].*)\.md$/;

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'examples/README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md') && !ELSEWHERE.test(name));

// A title that a document quotes from a test stays on one line, so that a search finds it.
const QUOTES_A_TEST = /^\s*- \[[\w-]+\]\([^)]+\) “/;

const tooWide = (markdown: string) =>
  proseLines(markdown).filter((line) => line.length > MAX_COLUMNS && !QUOTES_A_TEST.test(line));

const tooFull = (markdown: string) => cellsOf(markdown).filter(({ text }) => text.length > MAX_COLUMNS);

const tooLong = (markdown: string) => sentencesOf(markdown).filter(({ text }) => wordsIn(text) > MAX_WORDS);

const banned = (markdown: string) => bannedIn([...sentencesOf(markdown), ...cellsOf(markdown)]);

describe.each(documents)('%s', (name) => {
  const markdown = readFileSync(name, 'utf8');

  test('has no merge marks', () => {
    expect(markdown).not.toMatch(/^(<{7} |={7}$|>{7} )/m);
  });

  test('has no banned construction', () => {
    expect(banned(markdown)).toEqual([]);
  });

  test(`has no line of prose over ${MAX_COLUMNS} columns`, () => {
    expect(tooWide(markdown)).toEqual([]);
  });

  test(`has no cell of a table over ${MAX_COLUMNS} characters`, () => {
    expect(tooFull(markdown)).toEqual([]);
  });

  test(`has no sentence over ${MAX_WORDS} words`, () => {
    expect(tooLong(markdown)).toEqual([]);
  });
});

const filesIn = (folder: string, name: RegExp) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => name.test(file))
    .map((file) => `${folder}/${file}`);

test.each(filesIn('src', /(?<!\.d)\.tsx?$/))('%s has no message with a banned construction', (file) => {
  expect(bannedIn(messagesIn(file))).toEqual([]);
});

// The samples of bad titles below are bad on purpose.
const SAMPLES = 'test/prose.test.ts';

test.each(filesIn('test', /\.test\.tsx?$/).filter((file) => file !== SAMPLES))(
  '%s has no title with a banned construction',
  (file) => {
    expect(bannedInTitles(titlesIn(file))).toEqual([]);
  },
);

test('the README is short', () => {
  const readme = readFileSync('README.md');

  expect(readme.length).toBeLessThanOrEqual(MAX_README_BYTES);
  expect(readme.toString().split(/\s+/).length).toBeLessThanOrEqual(1_200);
});

describe('a bad sample is found', () => {
  test.each([
    ['A value that is none.', 'is none'],
    ['It is unclear, nobody knows why.', 'nobody knows'],
    ['The name must match to the letter.', 'to the letter'],
    ['Use the file as it stands.', 'as it stands'],
    ['What waits is sent later.', 'What'],
    ['Whoever sends it is refused.', 'Whoever'],
    ['It is refused to who shows no token.', 'to who'],
    ['A first sentence. Who sends too much waits.', 'Who'],
    ['The record lies in the database.', 'lies in'],
    ['| cell | WebEngage drops it in silence |', 'in silence'],
    ['- A list: what it says\n  stands in the log.', 'stands in'],
  ])('%s', (text, construction) => {
    expect(banned(text)).toEqual([expect.stringContaining(`“${construction}”`)]);
  });

  test.each([
    'What waits for a reply?',
    'Code such as `is none` and a title “nobody knows” are not prose.',
    '```sh\nWhoever\n```',
  ])('a good one is not: %s', (text) => {
    expect(banned(text)).toEqual([]);
  });

  test('a message in a file, and a title', () => {
    expect(messagesIn('src/edge/http/post-batch.ts').map(({ text }) => text)).toContain(
      'the body must be at most Value bytes',
    );
    const own = titlesIn('test/prose.test.ts').map(({ text }) => text);
    expect(own).toContain('a message in a file, and a title');
    expect(own).toContain('A value that is none.');
    const inJsx = titlesIn('test/admin/dead-letters/dead-letter-item.test.tsx').map(({ text }) => text);
    expect(inJsx).toContain('a user’s record is named by its id');
    expect(inJsx).toContain('text of an attacker is shown as text, in every place: %s');
    for (const text of ['what waits is sent', 'who sends too much waits', 'is told to nobody'])
      expect(bannedInTitles([{ line: 1, text }])).toHaveLength(1);
  });

  test('a long sentence over several lines is found, and two short ones are not', () => {
    const half = Array(20).fill('word').join(' ');

    expect(tooLong(`${half}\n${half}.`)).toHaveLength(1);
    expect(tooLong(`${half}. A ${half}.`)).toEqual([]);
    expect(tooLong(`- ${half}\n- ${half}`)).toEqual([]);
  });

  test('a wide line is found, except in code, in tables, and where it quotes a test', () => {
    const wide = 'x '.repeat(80);

    expect(tooWide(wide)).toHaveLength(1);
    for (const text of [`\`\`\`\n${wide}\n\`\`\``, `| ${wide} |`, `- [a](a.ts) “${wide}”`])
      expect(tooWide(text)).toEqual([]);
    expect(tooFull(`| ${wide} |`)).toHaveLength(1);
  });
});
