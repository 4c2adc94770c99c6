import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { parseAst } from 'rollup/parseAst';
import type { Sentence } from './prose.ts';

type Node = { readonly type: string; readonly start: number; readonly end: number };

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value;

/** A node, and all nodes inside it. */
function* nodesIn(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if (isNode(value)) yield value;
  for (const inner of Object.values(value)) yield* nodesIn(inner);
}

/** The text of a string, with one word for each of its expressions. Undefined for other nodes. */
function textOf(node: Node): string | undefined {
  if (node.type === 'Literal' && 'value' in node && typeof node.value === 'string') return node.value;
  if (node.type !== 'TemplateLiteral' || !('quasis' in node) || !Array.isArray(node.quasis)) return undefined;
  return node.quasis.map(({ value }) => String(value.cooked)).join('Value');
}

/** Several words, at least one of them a plain one: a sentence, and no name, path or query. */
const isProse = (text: string): boolean =>
  /[\p{L}\d,.;:’)] \p{Ll}/u.test(text) && !/^\s*[A-Z]{4,} /.test(text);

function parsed(file: string): { readonly code: string; readonly nodes: readonly Node[] } {
  // Only the types go: every position stays as it is.
  const code = stripTypeScriptTypes(readFileSync(file, 'utf8'));
  return { code, nodes: [...nodesIn(parseAst(code))] };
}

const lineAt = (code: string, at: number): number => code.slice(0, at).split('\n').length;

/** What a TypeScript file may say to a person: its strings of several words. */
export function messagesIn(file: string): readonly Sentence[] {
  if (file.endsWith('.tsx')) return textsInJsx(file);
  const { code, nodes } = parsed(file);
  return nodes.flatMap((node) => {
    const text = textOf(node);
    return text !== undefined && isProse(text) ? [{ line: lineAt(code, node.start), text }] : [];
  });
}

// The parser knows no JSX beside types. A component's texts are between its tags, and in quotes.
function textsInJsx(file: string): readonly Sentence[] {
  const code = readFileSync(file, 'utf8');
  return [...code.matchAll(/>([^<>{}]+)<|'([^'\n]+)'|"([^"\n]+)"/g)]
    .map(({ index, 1: inner, 2: single, 3: double }) => ({
      line: lineAt(code, index),
      text: (inner ?? single ?? double ?? '').replace(/\s+/g, ' ').trim(),
    }))
    .filter(({ text }) => isProse(text));
}

/** The titles of a file's tests and of their groups, with the labels in the rows of `each`. */
export function titlesIn(file: string): readonly Sentence[] {
  if (file.endsWith('.tsx')) return titlesInJsx(file);
  const { code, nodes } = parsed(file);
  const textAt = (node: Node | undefined): readonly Sentence[] => {
    const text = node && textOf(node);
    return node === undefined || text === undefined ? [] : [{ line: lineAt(code, node.start), text }];
  };
  return nodes.flatMap((node) => {
    if (node.type !== 'CallExpression' || !('callee' in node) || !('arguments' in node)) return [];
    const [first] = node.arguments as readonly Node[];
    if (!isNode(node.callee) || first === undefined) return [];
    const callee = code.slice(node.callee.start, node.callee.end);
    if (!/^(test|describe)\b/.test(callee)) return [];
    return callee.endsWith('.each')
      ? elementsOf(first).flatMap((row) => textAt(labelOf(row)))
      : textAt(first);
  });
}

function elementsOf(node: Node): readonly Node[] {
  const isList = node.type === 'ArrayExpression' && 'elements' in node;
  return isList ? (node.elements as readonly (Node | null)[]).filter((each) => each !== null) : [];
}

/** A row is its label, or a list that begins with it. */
const labelOf = (row: Node): Node | undefined => (row.type === 'ArrayExpression' ? elementsOf(row)[0] : row);

function titlesInJsx(file: string): readonly Sentence[] {
  const code = readFileSync(file, 'utf8');
  return [...code.matchAll(/(?:\b(?:test|describe)|\]\))\(\s*'((?:\\.|[^'\\])+)'/g)].map(
    ({ index, 1: text = '' }) => ({ line: lineAt(code, index), text }),
  );
}
