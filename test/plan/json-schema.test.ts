import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planJsonSchema } from '../../src/plan/json-schema.ts';
import { parsePlan } from '../../src/plan/plan.ts';
import { fits } from '../fakes/plan/json-schema.ts';
import { anyPlan } from '../fakes/plan/plans.ts';

const schema = planJsonSchema();

// What JSON Schema has no words for.
const UNSAID = /of at most 25|not be a date|well-formed text/;

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The same with one thing anywhere in it taken out, renamed, or in another's place. */
function spoilt(json: Json, steps: readonly number[], put: Json): Json {
  const [step = 0, ...rest] = steps;
  if (typeof json !== 'object' || json === null || rest.length === 0) return put;
  const entries = Object.entries(json as object) as [string, Json][];
  if (entries.length === 0) return put;
  const at = step % entries.length;
  const changed = entries.flatMap(([name, each], index): [string, Json][] => {
    if (index !== at) return [[name, each]];
    if (rest.length === 1 && step % 3 === 0) return [];
    if (rest.length === 1 && step % 3 === 1) return [[typeof put === 'string' ? put : name, each]];
    return [[name, spoilt(each, rest, put)]];
  });
  return Array.isArray(json) ? changed.map(([, each]) => each) : Object.fromEntries(changed);
}

const anything = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    0,
    'number',
    'optional',
    'values',
    'we_x',
    'email_sent',
    '',
    [],
    {},
    [1, 1],
  ),
  fc.constantFrom<Json>('n'.repeat(50), { type: 'date', values: ['a'] }, { type: 'array', items: 'date' }),
);
const maybePlan = fc
  .tuple(anyPlan, fc.array(fc.nat(20), { minLength: 1, maxLength: 9 }), anything)
  .map(([plan, steps, put]) => spoilt(plan as Json, steps, put));

test('it accepts every plan', () => {
  fc.assert(fc.property(anyPlan, (plan) => void expect(fits(plan, schema)).toBe(true)));
});

test('it accepts and refuses the same plans as the relay, as far as a schema can express the rules', () => {
  let refused = 0;
  fc.assert(
    fc.property(maybePlan, (plan) => {
      const parsed = parsePlan(plan);
      if (parsed.ok) expect(fits(plan, schema)).toBe(true);
      else if (!parsed.issues.every(({ message }) => UNSAID.test(message))) {
        refused += 1;
        expect(fits(plan, schema)).toBe(false);
      }
    }),
    { numRuns: 2_000 },
  );

  // Else the second half of it says nothing.
  expect(refused).toBeGreaterThan(300);
});

test('it is the schema in the package', () => {
  expect(JSON.parse(readFileSync('dist/tracking-plan.schema.json', 'utf8'))).toEqual(schema);
});
