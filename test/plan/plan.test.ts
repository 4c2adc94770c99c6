import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePlan, planFaults } from '../../src/plan/plan.ts';
import { anyPlan } from '../fakes/plan/plans.ts';

const faultsOf = (input: unknown): readonly string[] => {
  const parsed = parsePlan(input);
  return parsed.ok ? [] : planFaults(parsed.issues);
};

const withProperty = (property: unknown) => ({ events: { Bought: { properties: { Price: property } } } });

test('any plan is read', () => {
  fc.assert(fc.property(anyPlan, (plan) => void expect(faultsOf(plan)).toEqual([])));
});

test('the demo’s plan is valid', () => {
  expect(faultsOf(JSON.parse(readFileSync('demo/tracking-plan.json', 'utf8')))).toEqual([]);
});

test('a type name is short for an object with that type', () => {
  expect(parsePlan(withProperty('number'))).toEqual(parsePlan(withProperty({ type: 'number' })));
});

test('names that every object has are ordinary names', () => {
  const parsed = parsePlan({ events: { constructor: { properties: { toString: 'string' } } } });

  expect(parsed.ok && [...parsed.plan.events.keys()]).toEqual(['constructor']);
  expect(parsed.ok && parsed.plan.events.get('constructor')?.properties?.get('toString')).toEqual({
    type: 'string',
  });
});

const TYPE = 'must be string, number, boolean, date, array or object, or have one of these as its type';
const PRICE = 'events.Bought.properties.Price';

test.each([
  [null, ['a tracking plan must be an object']],
  [{}, ['events is required']],
  [{ events: [] }, ['events must be an object']],
  [{ events: {}, evnts: {} }, ['evnts is not a field of a tracking plan']],
  [{ events: { we_bought: {} } }, ['events.we_bought has a name that must not start with we_']],
  [
    { events: { ['n'.repeat(50)]: {} } },
    [`events.${'n'.repeat(50)} has a name that must be well-formed text of 1 to 49 characters`],
  ],
  [
    { events: { user_logged_in: {} } },
    ['events.user_logged_in has a name that must not be a system event of WebEngage'],
  ],
  [JSON.parse('{"events":{"__proto__":{}}}'), ['events.__proto__ has a name that must not be __proto__']],
  [{ events: { Bought: 'x' } }, ['events.Bought must be an object']],
  [{ events: { Bought: [] } }, ['events.Bought must be an object']],
  [withProperty('text'), [`${PRICE} ${TYPE}`]],
  [withProperty(null), [`${PRICE} ${TYPE}`]],
  [withProperty({ type: 'integer' }), [`${PRICE}.type ${TYPE}`]],
  [withProperty({ optional: true }), [`${PRICE}.type ${TYPE}`]],
  [
    withProperty({ type: 'date', values: ['x'] }),
    [`${PRICE}.values is not a field of a property of type date`],
  ],
  [withProperty({ type: 'number', optional: 'yes' }), [`${PRICE}.optional must be true or false`]],
  [
    withProperty({ type: 'number', values: [] }),
    [`${PRICE}.values must hold at least one value, without duplicates`],
  ],
  [
    withProperty({ type: 'number', values: [1, 1] }),
    [`${PRICE}.values must hold at least one value, without duplicates`],
  ],
  [withProperty({ type: 'number', values: ['1'] }), [`${PRICE}.values.0 must be a number`]],
  [
    withProperty({ type: 'string', values: ['2018-09-15T18:29:00-0800'] }),
    [`${PRICE}.values.0 must not be a date: WebEngage has its own type for dates`],
  ],
  [
    withProperty({ type: 'array', items: { type: 'string', optional: true } }),
    [`${PRICE}.items.optional is not a field of a property of type string`],
  ],
  [withProperty({ type: 'object', properties: { Tax: 'money' } }), [`${PRICE}.properties.Tax ${TYPE}`]],
  [
    { events: {}, user: { attributes: { Plan: { type: 'string', optional: true } } } },
    ['user.attributes.Plan.optional is not a field of a property of type string'],
  ],
])('an invalid plan is reported by path and rule: %j', (input, faults) => {
  expect(faultsOf(input)).toEqual(faults);
});

test('an event or user has no more attributes of a type than WebEngage accepts', () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, 'number']));

  expect(faultsOf({ events: { Bought: { properties: { ...many(25), s: 'string' } } } })).toEqual([]);
  expect(faultsOf({ events: { Bought: { properties: many(26) } }, user: { attributes: many(26) } })).toEqual([
    'events.Bought.properties.n25 must be one of at most 25 of type number',
    'user.attributes.n25 must be one of at most 25 of type number',
  ]);
});
