import { readFileSync } from 'node:fs';
import { parseAst } from 'rollup/parseAst';
import { beforeAll, expect, test } from 'vitest';
import { scriptTag } from '../src/cli/script-tag.ts';
import { README_STUB } from './readme-stub.ts';
import { stubLine } from './stub-line.ts';

let line: string;

beforeAll(async () => {
  line = await stubLine();
});

test('the README’s stub is built from its source', () => {
  expect(README_STUB).toBe(line);
});

test.each(['docs/guides/consent.md', 'docs/guides/getting-started.md', 'demo/shop/index.html'])(
  '%s shows the same stub',
  (path) => {
    expect(readFileSync(path, 'utf8')).toContain(line);
  },
);

test('the command prints the same stub', () => {
  expect(scriptTag('https://t.example.com').split('\n')[0]).toBe(line);
});

// What ES5 has, and an editor of 2012 knows. https://262.ecma-international.org/5.1/
const ES5 =
  /^(Program|ExpressionStatement|BlockStatement|FunctionDeclaration|FunctionExpression|VariableDeclaration|VariableDeclarator|ReturnStatement|IfStatement|TryStatement|CatchClause|CallExpression|NewExpression|MemberExpression|AssignmentExpression|LogicalExpression|BinaryExpression|ConditionalExpression|UnaryExpression|UpdateExpression|SequenceExpression|ParenthesizedExpression|ThisExpression|ArrayExpression|ObjectExpression|Identifier|Literal)$/;

/** Every node of a syntax tree. */
function nodesOf(node: unknown): Record<string, unknown>[] {
  if (typeof node !== 'object' || node === null) return [];
  const inner = Object.values(node).flatMap(nodesOf);
  return 'type' in node ? [node as Record<string, unknown>, ...inner] : inner;
}

test('the stub is ES5 and plain ASCII, as the editors of tag managers want it', () => {
  const nodes = nodesOf(parseAst(line.replace(/^<script>|<\/script>$/g, '')));

  expect(nodes.map(({ type }) => String(type)).filter((type) => !ES5.test(type))).toEqual([]);
  for (const { type, kind, param, optional, operator } of nodes) {
    if (type === 'VariableDeclaration') expect(kind).toBe('var');
    if (type === 'CatchClause') expect(param).not.toBeNull();
    expect(optional).not.toBe(true);
    expect(['**', '**=', '??', '??=', '&&=', '||=']).not.toContain(operator);
  }
  expect(line).toMatch(/^[ -~]+$/);
});
