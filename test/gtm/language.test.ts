import { parseAst } from 'rollup/parseAst';
import { describe, expect, test } from 'vitest';
import { SCRIPT } from './template.ts';

type Node = { readonly type: string; readonly [field: string]: unknown };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** Every node of a syntax tree, with the one around it. */
function nodesOf(
  value: unknown,
  parent?: Node,
): readonly (readonly [node: Node, parent: Node | undefined])[] {
  if (typeof value !== 'object' || value === null) return [];
  const around = isNode(value) ? value : parent;
  const inner = Object.values(value).flatMap((each) => nodesOf(each, around));
  return isNode(value) ? [[value, parent], ...inner] : inner;
}

const nodes = nodesOf(parseAst(SCRIPT));

// ES5.1, and `const`, `let` and arrow functions. There is no `new` and no `this`.
// https://developers.google.com/tag-platform/tag-manager/templates/sandboxed-javascript
// Less than Google allows: what its documents do not show, as `try`, `class`, a template or a pattern, is not used.
const ALLOWED = new Set([
  'Program',
  'ArrayExpression',
  'ArrowFunctionExpression',
  'AssignmentExpression',
  'BinaryExpression',
  'BlockStatement',
  'CallExpression',
  'ConditionalExpression',
  'ExpressionStatement',
  'Identifier',
  'IfStatement',
  'Literal',
  'LogicalExpression',
  'MemberExpression',
  'ObjectExpression',
  'ParenthesizedExpression',
  'Property',
  'ReturnStatement',
  'UnaryExpression',
  'VariableDeclaration',
  'VariableDeclarator',
  'WhileStatement',
]);

// https://developers.google.com/tag-platform/tag-manager/templates/standard-library
const STANDARD_LIBRARY = new Set(
  (
    'concat every filter forEach indexOf join lastIndexOf map pop push reduce reduceRight reverse shift slice some sort ' +
    'splice unshift charAt match replace search split substring toLowerCase toUpperCase trim toString'
  ).split(' '),
);

const OF_APIS = new Set(['keys', 'getItem', 'setItem', 'gtmOnSuccess', 'gtmOnFailure']);

describe('the script', () => {
  test('uses only syntax of the sandbox', () => {
    const strange = nodes.map(([{ type }]) => type).filter((type) => !ALLOWED.has(type));

    expect(strange).toEqual([]);
    for (const [node] of nodes) {
      if (node.type === 'Literal') expect(node).not.toHaveProperty('regex');
      if (node.type === 'Property')
        expect(node).toMatchObject({ shorthand: false, method: false, kind: 'init' });
      if (node.type === 'ArrowFunctionExpression') expect(node.async).toBe(false);
      if (node.type === 'VariableDeclaration') expect(['const', 'let']).toContain(node.kind);
      if (node.type === 'UnaryExpression') expect(['!', '-']).toContain(node.operator);
      expect(['??', '**', 'in', 'instanceof']).not.toContain(node.operator);
      expect(node.optional ?? false).toBe(false);
    }
  });

  test('calls only methods of the standard library', () => {
    const called = nodes.flatMap(([{ type, callee }]) =>
      type === 'CallExpression' && isNode(callee) && callee.type === 'MemberExpression'
        ? [(callee.property as { readonly name?: string }).name ?? 'a computed name']
        : [],
    );

    // `field.as` is a function of the script's own tables.
    const strange = called.filter(
      (name) => !STANDARD_LIBRARY.has(name) && !OF_APIS.has(name) && name !== 'as',
    );
    expect(strange).toEqual([]);
  });

  test('uses no globals but require and data', () => {
    const isName = ([node, parent]: readonly [Node, Node | undefined]) =>
      node.type === 'Identifier' &&
      !(parent?.type === 'MemberExpression' && parent.property === node && parent.computed !== true) &&
      !(parent?.type === 'Property' && parent.key === node);
    const nameOf = (node: unknown) => (node as { readonly name: string }).name;
    const declared = nodes.flatMap(([node]) => [
      ...(node.type === 'VariableDeclarator' ? [nameOf(node.id)] : []),
      ...(node.type === 'ArrowFunctionExpression' ? (node.params as unknown[]).map(nameOf) : []),
    ]);
    const used = nodes.filter(isName).map(([node]) => nameOf(node));

    const free = used.filter((name) => !declared.includes(name));
    expect(new Set(free)).toEqual(new Set(['require', 'data', 'undefined']));
  });

  test('is plain ASCII', () => {
    expect(SCRIPT).toMatch(/^[\n -~]+$/);
  });
});
