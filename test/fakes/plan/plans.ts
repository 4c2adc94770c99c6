import fc from 'fast-check';
import { eventNameRule } from '../../../src/contract/event.ts';
import { nameRule } from '../../../src/contract/rules/attributes.ts';
import { isDate } from '../../../src/contract/rules/date.ts';
import type { Plan, Property, Shape, Value } from '../../../src/plan/plan.ts';
import { TYPES } from '../../../src/plan/plan.ts';

/** A plan as it stands in its file. */
export type PlanJson = { readonly [field: string]: unknown };

// Without what every object has: it can be tracked, but TypeScript finds it in every object.
const AWKWARD = ["it's", '"', '\\', 'two\nlines', '*/', '0', '-1', 'a.b', '`', '\u2028'];

const text = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom(...AWKWARD))
  .filter((each) => !(each in {}));
const nameThat = (rule: (name: string) => string | undefined) =>
  text.filter((name) => name !== '__proto__' && rule(name) === undefined);

const byName = (name: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>, maxKeys: number) =>
  fc
    .uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: maxKeys })
    .map((entries) => Object.fromEntries(entries));

const some = <Fields extends Record<string, fc.Arbitrary<unknown>>>(fields: Fields) =>
  fc.record(fields, { requiredKeys: [] });

function propertyOf(depth: number, more: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const own: Record<(typeof TYPES)[number], Record<string, fc.Arbitrary<unknown>>> = {
    string: {
      values: fc.uniqueArray(
        text.filter((each) => !isDate(each)),
        { minLength: 1, maxLength: 3 },
      ),
    },
    number: {
      values: fc.uniqueArray(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => each + 0),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
    },
    boolean: {},
    date: {},
    array: depth === 0 ? {} : { items: propertyOf(depth - 1, {}) },
    object:
      depth === 0
        ? {}
        : {
            properties: byName(text, propertyOf(depth - 1, { optional: fc.boolean() }), 3),
            additional: fc.boolean(),
          },
  };
  const long = TYPES.map((type) =>
    some({ description: text, ...own[type], ...more }).map((fields) => ({ type, ...fields })),
  );
  return fc.oneof(fc.constantFrom(...TYPES), ...long);
}

/** Any plan, by no more than a few of everything. */
export const anyPlan: fc.Arbitrary<PlanJson> = fc
  .tuple(
    byName(
      nameThat(eventNameRule),
      some({
        description: text,
        properties: byName(nameThat(nameRule), propertyOf(2, { optional: fc.boolean() }), 4),
        additional: fc.boolean(),
      }),
      4,
    ),
    some({
      $schema: text,
      additional: fc.boolean(),
      user: fc
        .tuple(byName(nameThat(nameRule), propertyOf(1, {}), 4), some({ additional: fc.boolean() }))
        .map(([attributes, rest]) => ({ attributes, ...rest })),
    }),
  )
  .map(([events, rest]) => JSON.parse(JSON.stringify({ ...rest, events })));

type Json = { readonly [name: string]: unknown };

/** A name that no plan of ours has. */
export const UNPLANNED = 'in no plan';

const DATE = '2018-09-15T18:29:00-0800';

/** A value as it is planned; `whole` with all that may be left out. */
function sampleOf(value: Value, whole: boolean): unknown {
  switch (value.type) {
    case 'string':
    case 'number':
      return value.values === undefined
        ? { string: 'text', number: 1.5 }[value.type]
        : [...value.values].at(-1);
    case 'boolean':
      return whole;
    case 'date':
      return DATE;
    case 'array':
      if (!whole) return [];
      return value.items ? [sampleOf(value.items, false), sampleOf(value.items, true)] : [1, 'a', [true]];
    case 'object':
      return value.properties ? dataOf(value, whole) : { anything: 'goes' };
  }
}

export function dataOf({ properties, additional }: Shape, whole: boolean): Json {
  const planned = [...(properties ?? [])].filter(([, { optional }]) => whole || !optional);
  return {
    ...Object.fromEntries(planned.map(([name, property]) => [name, sampleOf(property, whole)])),
    ...(whole && additional ? { [UNPLANNED]: 'goes' } : {}),
  };
}

/** What a value is not, whatever else is planned of it. */
export const misfitOf = ({ type }: Property): unknown => (type === 'number' ? 'one' : 1);

/** A user's attributes as a shape: all of them optional. */
export function userShapeOf({ user }: Plan): Shape | undefined {
  if (user === undefined) return undefined;
  const properties = [...user.attributes].map(
    ([name, value]) => [name, { ...value, optional: true }] as const,
  );
  return { properties: new Map(properties), additional: user.additional };
}
