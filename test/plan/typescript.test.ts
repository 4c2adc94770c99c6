import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Attributes } from '../../src/contract/rules/attributes.ts';
import { offPlan } from '../../src/plan/off-plan.ts';
import { type Plan, parsePlan, type Shape } from '../../src/plan/plan.ts';
import { toTypeScript, userNameOf } from '../../src/plan/typescript.ts';
import { anyPlan, dataOf, misfitOf, UNPLANNED, userShapeOf } from '../fakes/plan/plans.ts';
import { eventRecord, userRecord } from '../fakes/records.ts';
import { complaintsAbout } from './compiled.ts';

function planOf(json: unknown): Plan {
  const parsed = parsePlan(json);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.plan;
}

test('a plan becomes the types of a tracker', () => {
  const plan = planOf(JSON.parse(readFileSync('test/plan/shop.json', 'utf8')));

  const written = toTypeScript(plan, { events: 'ShopEvents', source: 'shop.json' });

  expect(written).toBe(readFileSync('test/plan/shop-events.ts', 'utf8'));
});

test('an empty plan becomes empty types', () => {
  const written = toTypeScript(planOf({ events: {}, user: { attributes: {} } }), {
    events: 'Nothing',
    source: 'plan.json',
  });

  expect(written.split('\n').slice(2)).toEqual([
    'export type Nothing = Record<string, never>;',
    '',
    'export type NothingUser = Record<string, never>;',
    '',
  ]);
});

test.each([
  ['ShopEvents', 'ShopUser'],
  ['Events', 'User'],
  ['Tracked', 'TrackedUser'],
])('the user type beside %s is %s', (events, user) => {
  expect(userNameOf(events)).toBe(user);
});

// The compiler takes what parts a line in a text for the end of a line of code.
const literal = (value: unknown) =>
  JSON.stringify(value).replace(/[\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16)}`);

/** Calls of each event as it is planned, and of each as it is not, which must not compile. */
function callsOf(plan: Plan): string[] {
  const user = userShapeOf(plan);
  return [
    ...[...plan.events].flatMap(([name, event]) =>
      callsWith(event, (data) => `track(${literal(name)}, ${data});`),
    ),
    ...(user ? callsWith(user, (data) => `identify('u', { attributes: ${data} });`) : []),
    plan.additional ? `track('${UNPLANNED}', { any: 1 });` : `// @ts-expect-error\ntrack('${UNPLANNED}');`,
  ];
}

function callsWith(shape: Shape, call: (data: string) => string): string[] {
  const whole = dataOf(shape, true);
  const { properties = new Map(), additional } = shape;
  const isNothing = properties.size === 0 && !additional;
  const wrong = [
    ...(additional ? [] : [{ ...whole, [UNPLANNED]: 1 }]),
    ...[...properties].flatMap(([name, property]) => {
      const { [name]: _, ...rest } = whole;
      return [{ ...rest, [name]: misfitOf(property) }, ...(property.optional ? [] : [rest])];
    }),
  ];
  const good =
    isNothing && call('x').startsWith('track')
      ? ['undefined']
      : [literal(dataOf(shape, false)), literal(whole)];
  return [...good.map(call), ...wrong.map((data) => `// @ts-expect-error\n${call(literal(data))}`)];
}

test('for any plan the types compile, accept planned calls and refuse all others', () => {
  const names = { events: 'SiteEvents', source: 'plan.json' };
  const plans = fc.sample(anyPlan, 300).map(planOf);
  const modules = plans.map((plan, index) => {
    const types = plan.user ? 'SiteEvents, SiteUser' : 'SiteEvents';
    const text = `import { createTracker } from 'tracker';
${toTypeScript(plan, names)}
const { track, identify } = createTracker<${types}>({ endpoint: '' });
${callsOf(plan).join('\n')}
`;
    return [`plan-${index}`, text] as const;
  });

  expect(complaintsAbout(Object.fromEntries(modules))).toBe('');
  expect(modules.join('').match(/@ts-expect-error/g)?.length).toBeGreaterThan(300);
}, 120_000);

test('a planned call passes the check, with optional parts and without', () => {
  fc.assert(
    fc.property(anyPlan.map(planOf), (plan) => {
      for (const whole of [true, false]) {
        for (const [eventName, event] of plan.events)
          expect(
            offPlan(eventRecord(1, { eventName, eventData: dataOf(event, whole) as Attributes }), plan),
          ).toEqual([]);
        const user = userShapeOf(plan);
        const attributes = user === undefined ? { anything: 1 } : dataOf(user, whole);
        expect(offPlan(userRecord(1, { attributes: attributes as Attributes }), plan)).toEqual([]);
      }
    }),
  );
});
