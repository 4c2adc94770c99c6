import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8Bytes } from '../../../src/contract/rules/text.ts';
import { copyObject, type Difference } from '../../../src/tracker/record/safe-copy.ts';
import { writeDate } from '../../../src/tracker/record/write-date.ts';
import { onSpoiltPage, SPOILT_PAGES } from '../../fakes/browser/spoilt-page.ts';

const refuse = () => {
  throw new Error('no');
};

/** How a value is made: fast-check prints what it generates, and stumbles over hostile values itself. */
type Recipe =
  | { readonly make: 'value'; readonly value: unknown }
  | {
      readonly make: 'object' | 'instance' | 'circle' | 'bad getter';
      readonly of: Readonly<Record<string, Recipe>>;
    }
  | { readonly make: 'array' | 'holes'; readonly of: readonly Recipe[] }
  | { readonly make: 'toJSON' | 'proxy'; readonly of: Recipe }
  | { readonly make: 'hostile'; readonly index: number };

const HOSTILE: readonly (() => unknown)[] = [
  () => new Proxy({ a: 1 }, { ownKeys: refuse }),
  () => new Proxy({ a: 1 }, { get: refuse }),
  () => new Proxy({ a: 1 }, { getOwnPropertyDescriptor: refuse }),
  () => new Proxy([1], { get: refuse }),
  () => ({ toJSON: refuse }),
  () => Symbol('s'),
  () => refuse,
  () => /a/,
  () => new Error('e'),
  () => new WeakSet(),
  () => Promise.resolve(),
  () => Math,
  () => Object(10n),
  () => new URL('https://example.com/'),
];

const { recipe } = fc.letrec<{ recipe: Recipe }>((tie) => ({
  recipe: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      make: fc.constant('value' as const),
      value: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 1_200 }),
        fc.anything({
          withBigInt: true,
          withBoxedValues: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withSparseArray: true,
          withNullPrototype: true,
          withObjectString: true,
          withUnicodeString: true,
        }),
      ),
    }),
    fc.record({ make: fc.constant('hostile' as const), index: fc.nat(HOSTILE.length - 1) }),
    fc.record({
      make: fc.constantFrom('object' as const, 'instance', 'circle', 'bad getter'),
      of: fc.dictionary(fc.string(), tie('recipe')),
    }),
    fc.record({ make: fc.constantFrom('array' as const, 'holes'), of: fc.array(tie('recipe')) }),
    fc.record({ make: fc.constantFrom('toJSON' as const, 'proxy'), of: tie('recipe') }),
  ),
}));

function made(recipe: Recipe): unknown {
  switch (recipe.make) {
    case 'value':
      return recipe.value;
    case 'hostile':
      return HOSTILE[recipe.index]?.();
    case 'array':
    case 'holes': {
      const items = recipe.of.map(made);
      if (recipe.make === 'holes') items.length += 2;
      return items;
    }
    case 'toJSON': {
      const answer = made(recipe.of);
      return { toJSON: () => answer };
    }
    case 'proxy': {
      const target = made(recipe.of);
      return typeof target === 'object' && target !== null ? new Proxy(target, {}) : target;
    }
    default: {
      const object: object = recipe.make === 'instance' ? new (class {})() : {};
      for (const [name, inner] of Object.entries(recipe.of))
        Object.defineProperty(object, name, { value: made(inner), enumerable: true, configurable: true });
      if (recipe.make === 'circle') Object.assign(object, { self: object });
      if (recipe.make === 'bad getter')
        Object.defineProperty(object, 'bad', { get: refuse, enumerable: true, configurable: true });
      return object;
    }
  }
}

const tagOf = (value: unknown) => Object.prototype.toString.call(value).slice('[object '.length, -1);

/** What a value is read as, or nothing where reading fails. */
function read(of: object, name: string): { readonly value?: unknown } {
  try {
    return { value: (of as Record<string, unknown>)[name] };
  } catch {
    return {};
  }
}

/** Every difference between what was given and what was kept that was not reported, by its path. */
function unreported(given: unknown, kept: unknown, at: string, reported: ReadonlySet<string>): string[] {
  if (reported.has(at)) return [];
  if (typeof given === 'object' && given !== null && tagOf(given) !== 'Date') {
    const { value: toJSON } = read(given, 'toJSON');
    if (typeof toJSON === 'function' && (Object.hasOwn(given, 'toJSON') || given instanceof URL))
      return unreportedIn(toJSON.call(given), kept, at, reported);
  }
  return unreportedIn(given, kept, at, reported);
}

function unreportedIn(given: unknown, kept: unknown, at: string, reported: ReadonlySet<string>): string[] {
  const is = (isSame: boolean) => (isSame ? [] : [at]);
  const tag = tagOf(given);
  if (typeof given === 'object' && given !== null && /^(Number|String|Boolean)$/.test(tag))
    return is(kept === given.valueOf() || (kept === 0 && given.valueOf() === 0));
  if (given instanceof Date && tag === 'Date')
    return is(kept === writeDate(given.getTime()) && kept !== undefined);
  if (typeof given !== 'object' || given === null)
    return is(kept === given && (typeof given !== 'number' || Number.isFinite(given)));
  if (typeof kept !== 'object' || kept === null) return [at];
  if (Array.isArray(given)) {
    const items = [...(kept as readonly unknown[])];
    return Array.from({ length: given.length }).flatMap((_, index) => {
      const there = `${at}.${index}`;
      if (reported.has(there) && !reported.has(`cut ${there}`)) return [];
      const item = items.shift();
      return reported.has(there) ? [] : unreported(read(given, `${index}`).value, item, there, reported);
    });
  }
  const prototype = Object.getPrototypeOf(given);
  if (Object.keys(given).length === 0 && prototype !== null && prototype !== Object.prototype) return [at];
  return Object.keys(given).flatMap((name) => {
    const there = `${at}.${name}`;
    if (reported.has(there)) return [];
    const { value } = read(given, name);
    const isKept = Object.hasOwn(kept, name);
    if (value === undefined) return isKept ? [there] : [];
    return isKept ? unreported(value, (kept as Record<string, unknown>)[name], there, reported) : [there];
  });
}

function copy(given: unknown, path: string) {
  const differences: Difference[] = [];
  const { json } = copyObject(given, path, (difference) => {
    differences[differences.length] = difference;
  });
  return { json, differences };
}

function pathsOf(differences: readonly Difference[]): ReadonlySet<string> {
  return new Set(differences.flatMap(({ path, done }) => (done === 'cut' ? [path, `cut ${path}`] : [path])));
}

test('nothing throws, and every difference between the given and the kept value is reported', () => {
  fc.assert(
    fc.property(recipe, (recipe) => {
      const given = made(recipe);

      const { json, differences } = copy(given, 'eventData');

      if (given === undefined || given === null) expect([json, differences]).toEqual(['{}', []]);
      else expect(unreported(given, JSON.parse(json), 'eventData', pathsOf(differences))).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
}, 60_000);

test('every kept value is JSON of at most 45,000 bytes', () => {
  const texts = fc.array(fc.string({ unit: 'binary', minLength: 300, maxLength: 1_200 }), { maxLength: 60 });

  fc.assert(
    fc.property(fc.dictionary(fc.string(), texts), fc.constantFrom('', 'eventData'), (given, path) => {
      const { json } = copy({ ...given, attributes: given }, path);

      expect(utf8Bytes(json)).toBeLessThanOrEqual(45_000);
      expect(JSON.parse(json)).toBeTypeOf('object');
    }),
    { numRuns: 30 },
  );
}, 60_000);

test('no built-in that a page has replaced changes the kept value', () => {
  fc.assert(
    fc.property(recipe, fc.constantFrom(...Object.keys(SPOILT_PAGES)), (recipe, page) => {
      const given = made(recipe);
      const right = copy(given, 'eventData');

      const { json, differences } = onSpoiltPage(page, () => copy(given, 'eventData'));

      expect(json).toBe(right.json);
      expect(differences.map(({ path }) => path)).toEqual(right.differences.map(({ path }) => path));
    }),
    { numRuns: 300 },
  );
}, 60_000);

test.each([
  [
    'has frozen its built-ins',
    'for (const one of [Object, Array, Date, String, Function]) Object.freeze(one.prototype);',
  ],
  [
    'has the Object.keys of Prototype.js 1.6',
    `Object.prototype.extend = 'inherited';
     Object.keys = (of) => { const names = []; for (const name in of) names.push(name); return names; };`,
  ],
])('a page that %s before the script loads changes nothing', (_, change) => {
  // Node loads what it reads TypeScript with by the first import.
  const script = `await import('./src/contract/rules/rule.ts');
    ${change}
    const { copyObject } = await import('./src/tracker/record/safe-copy.ts');
    const given = { a: [1, { b: 'x' }], c: { d: true }, toString: 'own' };
    const reported = [];
    const { json } = copyObject(given, '', (difference) => reported.push(difference));
    process.stdout.write(JSON.stringify([json, reported]));`;

  const out = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });

  expect(JSON.parse(out)).toEqual(['{"a":[1,{"b":"x"}],"c":{"d":true},"toString":"own"}', []]);
});
