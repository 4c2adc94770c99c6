/** A sentence of a document, with the line on which its paragraph begins. */
export type Sentence = { readonly line: number; readonly text: string; readonly isHeading?: boolean };

type Banned = readonly [pattern: RegExp, instead: string];

/** What a reader of idiomatic English stumbles over, each with what to write instead. */
const BANNED: readonly Banned[] = [
  [/\b(is|are|was|were|be|as) none\b/i, 'say what it is, or that there is no …'],
  [/\bnobody knows\b/i, 'unknown, not documented'],
  [/\bto the letter\b/i, 'exactly'],
  [/\bas (it|they) stands?\b/i, 'as it is, unchanged'],
  [/\bin silence\b/i, 'silently'],
  [/\bwhoever\b/i, 'anyone who …, a person who …'],
  [/\b(to|from|for|by|with|than|against|of) who\b/i, 'anyone who …, a sender that …'],
  [/\b(is|are|was|were) told\b/i, 'is reported, is shown'],
  [/\b(lies?|lay|lain) (in|at|on|beside|there|here)\b/i, 'is in, is stored in'],
  [/\bstands? (in|on|under|beside|there|here)\b/i, 'is in, is listed in'],
  [/\b(could|would|might|can|may|must) else\b/i, 'otherwise'],
  [/\bbut for\b/i, 'except for'],
  [/\bput right\b/i, 'corrected, fixed'],
  [/\bof (its|their|your|our) own accord\b/i, 'by itself'],
];

// “What waits is sent later.” A heading may be such a clause.
const CLAUSE_AS_SUBJECT: Banned = [
  /(?:^|[.!:;] )(What|Who) (?!to |.*\?$)/,
  'begin with a noun, not with a clause',
];

/** The lines of prose in a document: no code, tables, pictures or HTML. Those left out are empty, so that numbers stay. */
export function proseLines(markdown: string): readonly string[] {
  let fence = '';
  return markdown.split('\n').map((line) => {
    const [, mark] = /^ *(```|~~~)/.exec(line) ?? [];
    const isCode = fence !== '' || mark !== undefined;
    if (mark !== undefined) fence = fence === '' ? mark : fence === mark ? '' : fence;
    return isCode || /^\s*(\||<|!\[)/.test(line) ? '' : line;
  });
}

/** What a person reads of a text: links without targets, code as one word, and no titles that are quoted from tests. */
function readable(text: string): string {
  return text
    .replace(/“[^”]*”/g, '“…”')
    .replace(/`[^`]*`/g, 'Code')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\*\*|(?<!\w)[*_]|[*_](?!\w)/g, '');
}

const STARTS_BLOCK = /^\s*(?:#+ |[-*] |\d+\. |> )/;

/** The sentences of a document's prose. A heading or an item of a list begins anew. */
export function sentencesOf(markdown: string): readonly Sentence[] {
  type Block = { readonly line: number; readonly isHeading: boolean; text: string };
  const blocks: Block[] = [];
  let block: Block | undefined;
  for (const [at, line] of proseLines(markdown).entries()) {
    if (line.trim() === '') block = undefined;
    else if (block === undefined || STARTS_BLOCK.test(line)) {
      block = { line: at + 1, isHeading: line.startsWith('#'), text: line.replace(STARTS_BLOCK, '') };
      blocks.push(block);
    } else block.text += ` ${line.trim()}`;
  }
  return blocks.flatMap(({ text, ...place }) =>
    readable(text)
      .split(/(?<=[.!?][)”"*]?) +(?=[“"(*]?[\p{Lu}\d])/u)
      .map((sentence) => ({ ...place, text: sentence.trim() }))
      .filter((sentence) => sentence.text !== ''),
  );
}

/** The cells of a document's tables, each as a sentence. */
export function cellsOf(markdown: string): readonly Sentence[] {
  return markdown.split('\n').flatMap((line, at) =>
    line.startsWith('|')
      ? line
          .split('|')
          .slice(1, -1)
          .map((cell) => ({ line: at + 1, text: readable(cell.trim()) }))
      : [],
  );
}

const CLAUSE_AS_TITLE: Banned = [
  /^(what|whoever|whatever|who|nobody) (?!.*\?$)/i,
  'begin with a noun, not with a clause',
];

/** What is wrong with the titles of tests, likewise. A title begins in lower case, and has no full stop. */
export function bannedInTitles(titles: readonly Sentence[]): readonly string[] {
  return found(titles, () => [...BANNED, CLAUSE_AS_TITLE]);
}

/** What is wrong with sentences, each in one line: where, what, and what to write instead. */
export function bannedIn(sentences: readonly Sentence[]): readonly string[] {
  return found(sentences, ({ isHeading }) => (isHeading ? BANNED : [...BANNED, CLAUSE_AS_SUBJECT]));
}

function found(
  sentences: readonly Sentence[],
  rulesFor: (sentence: Sentence) => readonly Banned[],
): readonly string[] {
  return sentences.flatMap((sentence) =>
    rulesFor(sentence)
      .filter(([pattern]) => pattern.test(sentence.text))
      .map(
        ([pattern, instead]) =>
          `${sentence.line}: “${pattern.exec(sentence.text)?.[0].trim()}” in “${sentence.text}”: ${instead}`,
      ),
  );
}

export const wordsIn = (text: string): number =>
  text.split(/\s+/).filter((word) => /[\p{L}\d]/u.test(word)).length;
