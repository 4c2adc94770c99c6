import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attributes } from '../../src/contract/rules/attributes.ts';
import { offPlan } from '../../src/plan/off-plan.ts';
import { type Plan, parsePlan } from '../../src/plan/plan.ts';
import { anyPlan, dataOf, misfitOf, UNPLANNED, userShapeOf } from '../fakes/plan/plans.ts';
import { eventRecord, userRecord } from '../fakes/records.ts';

function planOf(json: unknown): Plan {
  const parsed = parsePlan(json);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.plan;
}

const shop = planOf(JSON.parse(readFileSync('test/plan/shop.json', 'utf8')));

const ADDED: Attributes = {
  Product: 'Lamp',
  Price: 39.8,
  Size: 'S',
  Arrives: '2026-11-27T12:00:00+0100',
  Gift: false,
  Tags: ['new', 'sale'],
};

const ofEvent = (eventName: string, eventData?: Attributes, plan = shop) =>
  offPlan(eventRecord(1, { eventName, eventData }), plan);

const ofUser = (attributes: Attributes, plan = shop) => offPlan(userRecord(1, { attributes }), plan);

const described = (found: ReturnType<typeof offPlan>) =>
  found.map(({ breach, path, message }) => `${breach}: ${path} ${message}`);

test('a planned record has no violations', () => {
  expect(ofEvent('Added to Cart', ADDED)).toEqual([]);
  expect(ofEvent('Added to Cart', { ...ADDED, Anything: [1, 'a'], Extra: { any: 1 } })).toEqual([]);
  expect(ofEvent('Signed Out')).toEqual([]);
  expect(ofEvent('Signed Out', {})).toEqual([]);
  expect(ofEvent('Experiment Seen', { Name: 'Blue', Variant: 2 })).toEqual([]);
  expect(ofUser({ Plan: 'paid' })).toEqual([]);
  expect(ofUser({})).toEqual([]);
});

test.each<[string, Attributes | undefined, string[]]>([
  ['Added to cart', ADDED, ['unknown_event: eventName is not in the tracking plan']],
  ['constructor', {}, ['unknown_event: eventName is not in the tracking plan']],
  [
    'Added to Cart',
    { ...ADDED, Colour: 'red' },
    ['unknown_property: eventData.Colour is not in the tracking plan'],
  ],
  ['Signed Out', { Why: 'bored' }, ['unknown_property: eventData.Why is not in the tracking plan']],
  [
    'Signed Out',
    { constructor: 'x' },
    ['unknown_property: eventData.constructor is not in the tracking plan'],
  ],
  ['Experiment Seen', undefined, ['missing: eventData.Name is required by the tracking plan']],
  [
    'Added to Cart',
    { ...ADDED, Price: '39.8', Arrives: 'soon' },
    [
      'type: eventData.Price must be of type number by the tracking plan, not string',
      'type: eventData.Arrives must be of type date by the tracking plan, not string',
    ],
  ],
  [
    'Added to Cart',
    { ...ADDED, Product: '2026-11-27T12:00:00+0100' },
    ['type: eventData.Product must be of type string by the tracking plan, not date'],
  ],
  [
    'Added to Cart',
    { ...ADDED, Size: 'XL' },
    ['value: eventData.Size must be one of the tracking plan’s values'],
  ],
  [
    'Added to Cart',
    { ...ADDED, Tags: ['new', 1, 2, 'old'] },
    ['type: eventData.Tags.* must be of type string by the tracking plan, not number'],
  ],
  [
    'Added to Cart',
    { ...ADDED, Seller: { Stars: 7, Since: 1 } },
    [
      'value: eventData.Seller.Stars must be one of the tracking plan’s values',
      'unknown_property: eventData.Seller.Since is not in the tracking plan',
      'missing: eventData.Seller.Name is required by the tracking plan',
    ],
  ],
])('a violation of an event is reported by path and rule: %s %j', (eventName, eventData, found) => {
  expect(described(ofEvent(eventName, eventData))).toEqual(found);
});

test('identify is checked against the attributes of the user', () => {
  expect(described(ofUser({ Plan: 'gold', 'Loyalty Points': '7', Age: 7 }))).toEqual([
    'value: attributes.Plan must be one of the tracking plan’s values',
    'type: attributes.Loyalty Points must be of type number by the tracking plan, not string',
    'unknown_property: attributes.Age is not in the tracking plan',
  ]);
});

test('a plan without users has no violations of users', () => {
  expect(ofUser({ Age: '31' }, planOf({ events: {} }))).toEqual([]);
});

test('unplanned events, properties and attributes are allowed if the plan says so', () => {
  const open = planOf({
    additional: true,
    events: { Seen: { additional: true, properties: { Where: 'string' } } },
    user: { attributes: {}, additional: true },
  });

  expect(ofEvent('Anything', { n: 1 }, open)).toEqual([]);
  expect(ofEvent('Seen', { Where: 'here', n: 1 }, open)).toEqual([]);
  expect(ofUser({ Age: '31' }, open)).toEqual([]);
  expect(ofEvent('Seen', { Where: 1 }, open)).toHaveLength(1);
});

test('a property named like a member of every object is missing all the same', () => {
  const plan = planOf({ events: { Bought: { properties: { constructor: 'string' } } } });

  expect(ofEvent('Bought', {}, plan)).toMatchObject([{ breach: 'missing' }]);
  expect(ofEvent('Bought', { constructor: 'x' }, plan)).toEqual([]);
});

test('a rule never contains the value', () => {
  const found = ofEvent('Added to Cart', { ...ADDED, Price: 'secret', Size: 'secret', Tags: ['secret'] });

  expect(found).toHaveLength(3);
  expect(JSON.stringify(found)).not.toContain('secret');
});

describe('for any plan', () => {
  test('a violation is reported, wherever it is', () => {
    fc.assert(
      fc.property(anyPlan.map(planOf), (plan) => {
        for (const [eventName, event] of plan.events) {
          const whole = dataOf(event, true) as Attributes;
          for (const [name, property] of event.properties ?? []) {
            const { [name]: _, ...rest } = whole;
            const off = { ...rest, [name]: misfitOf(property) } as Attributes;
            expect(ofEvent(eventName, off, plan).map(({ breach }) => breach)).toEqual(['type']);
            expect(ofEvent(eventName, rest, plan)).toHaveLength(property.optional ? 0 : 1);
          }
          expect(ofEvent(eventName, { ...whole, [UNPLANNED]: 1 }, plan)).toHaveLength(
            event.additional ? 0 : 1,
          );
        }
        const user = userShapeOf(plan);
        expect(ofUser({ [UNPLANNED]: 1 }, plan)).toHaveLength(user === undefined || user.additional ? 0 : 1);
      }),
    );
  });
});

describe('a record with violations everywhere', () => {
  const many = (count: number, value: Attributes[string]) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}`.padStart(900, 'n'), value]));

  test('reports no more of them than an answer has room for', () => {
    const found = ofEvent('Added to Cart', { Extra: {}, Seller: many(500, 'x') });

    expect(found).toHaveLength(10);
    for (const { path } of found) expect(path.length).toBeLessThanOrEqual(100);
  });

  test('is scanned once, and a list only up to its first violating element', () => {
    let reads = 0;
    const counted = new Proxy(many(1, 'x'), {
      ownKeys: (of) => {
        reads += 1;
        return Reflect.ownKeys(of);
      },
    }) as Attributes;
    const plan = planOf({
      events: { Seen: { properties: { All: { type: 'array', items: { type: 'object', properties: {} } } } } },
    });

    ofEvent('Seen', { All: Array(5_000).fill(counted) }, plan);
    expect(reads).toBe(1);
  });
});
