import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parsePlan } from '../../src/plan/plan.ts';
import { toTypeScript } from '../../src/plan/typescript.ts';
import { sample } from '../samples/samples.ts';

const { text: plan } = sample('docs/guides/tracking-plan.md#the-file json');
const { text: types } = sample('docs/guides/tracking-plan.md#the-types ts');
const { text: scripts } = sample('docs/guides/tracking-plan.md#the-types json');

test('the documented types are those of the documented plan', () => {
  const parsed = parsePlan(JSON.parse(plan));

  expect(parsed.ok && toTypeScript(parsed.plan, { events: 'ShopEvents', source: 'tracking-plan.json' })).toBe(
    types,
  );
});

test('the named schema is a file of the package', () => {
  const { files } = JSON.parse(readFileSync('package.json', 'utf8'));
  const { $schema } = JSON.parse(plan);

  expect(files.map((file: string) => `./node_modules/webengage-relay/${file}`)).toContain($schema);
  expect(JSON.parse(scripts).scripts.types).toContain('webengage-relay types --out');
});
