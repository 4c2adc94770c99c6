import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRecord } from '../../../src/contract/record.ts';
import { type Repair, repairAttributes } from '../../../src/tracker/record/repair.ts';
import { eventRecord, userRecord } from '../../fakes/records.ts';

function repair(eventData: object) {
  const repairs: Repair[] = [];
  const attributes = repairAttributes(eventData, 'eventData', (told) => repairs.push(told));
  return { attributes, repairs };
}

const circle: { self?: unknown } = {};
circle.self = circle;

describe('an attribute that can’t go', () => {
  test.each([
    ['NaN', Number.NaN, /finite/],
    ['Infinity', Number.POSITIVE_INFINITY, /finite/],
    ['null', null, /must be a string, finite number/],
    ['a function', () => 1, /must be a string, finite number/],
    ['a symbol', Symbol('s'), /must be a string, finite number/],
    ['a bigint', 10n, /must be a string, finite number/],
    ['an invalid Date', new Date(Number.NaN), /must be a date/],
    ['a Date of the year 12000', new Date(12_000, 1), /must be a date/],
  ])('%s is left out, and told; the others go', (_, bad, rule) => {
    const { attributes, repairs } = repair({ Bad: bad, Price: 39.8 });

    expect(attributes).toEqual({ Price: 39.8 });
    expect(repairs).toEqual([{ path: 'eventData.Bad', rule: expect.stringMatching(rule), done: 'left out' }]);
  });

  test('of an object, what throws when it is read, and what has no good name', () => {
    const bad = {
      get x() {
        throw new Error('no');
      },
      '\ud800': 1,
      y: 1,
    };
    const { attributes, repairs } = repair({ Bad: bad });

    expect(attributes).toEqual({ Bad: { y: 1 } });
    expect(repairs).toEqual([
      { path: 'eventData.Bad.x', rule: 'must be readable', done: 'left out' },
      {
        path: 'eventData.Bad.\ud800',
        rule: 'has a name that must be well-formed text of 0 to 999 characters',
        done: 'left out',
      },
    ]);
  });

  test('of a circle, what leads back into it', () => {
    const { attributes, repairs } = repair({ Circle: circle, Price: 39.8 });

    expect(attributes).toEqual({ Circle: {}, Price: 39.8 });
    expect(repairs).toMatchObject([
      { path: 'eventData.Circle.self', rule: 'must nest at most 16 levels, and not in itself' },
    ]);
  });

  test('a reserved, a long and an empty name', () => {
    const { attributes, repairs } = repair({ we_secret: 1, ['n'.repeat(50)]: 1, '': 1, Price: 39.8 });

    expect(attributes).toEqual({ Price: 39.8 });
    expect(repairs.map(({ done }) => done)).toEqual(['left out', 'left out', 'left out']);
  });

  test('the 26th of a type', () => {
    const { attributes, repairs } = repair(
      Object.fromEntries(Array.from({ length: 26 }, (_, i) => [`a${i}`, i])),
    );

    expect(Object.keys(attributes)).toHaveLength(25);
    expect(repairs).toEqual([
      { path: 'eventData.a25', rule: 'must be one of at most 25 of type number', done: 'left out' },
    ]);
  });
});

test('a string of 1,000 characters is cut to 999, and told', () => {
  const { attributes, repairs } = repair({ Note: 'n'.repeat(1_000) });

  expect(attributes).toEqual({ Note: 'n'.repeat(999) });
  expect(repairs).toEqual([
    { path: 'eventData.Note', rule: 'must be well-formed text of 0 to 999 characters', done: 'cut' },
  ]);
});

test('a cut never falls within a character', () => {
  const { attributes } = repair({ Note: `${'n'.repeat(998)}😀` });

  expect(attributes).toEqual({ Note: 'n'.repeat(998) });
});

test('what is undefined was not given: nothing goes, nothing is told', () => {
  expect(repair({ Coupon: undefined })).toEqual({ attributes: {}, repairs: [] });
});

test('a Date is written in WebEngage’s format, at its own moment', () => {
  const { attributes } = repair({ When: new Date('2026-11-23T15:45:00.123Z') });
  const [, sign, hours, minutes] = /([+-])(\d\d)(\d\d)$/.exec(String(attributes.When)) ?? [];

  expect(Date.parse(String(attributes.When).replace(/[+-]\d{4}$/, `${sign}${hours}:${minutes}`))).toBe(
    Date.parse('2026-11-23T15:45:00Z'),
  );
});

test('an object that knows its JSON is taken by it', () => {
  expect(repair({ Link: new URL('https://example.com/a') }).attributes).toEqual({
    Link: 'https://example.com/a',
  });
});

test('the caller’s object is read once, at the call', () => {
  const data = { Cart: [{ Price: 1 }] };
  const { attributes } = repair(data);
  data.Cart.push({ Price: 2 });

  expect(attributes).toEqual({ Cart: [{ Price: 1 }] });
});

test('arrays in arrays stay in them', () => {
  expect(repair({ Grid: [[1, 2], [3, [4]], []] }).attributes).toEqual({ Grid: [[1, 2], [3, [4]], []] });
});

test('objects that share references, as a framework’s nodes do, are given up before the page notices', () => {
  let reads = 0;
  const nodes: Record<string, unknown>[] = [{}];
  for (let n = 1; n < 14; n++) {
    const child = nodes[n - 1];
    const node = {};
    for (const name of ['child', 'sibling', 'return', 'alternate'])
      Object.defineProperty(node, name, {
        enumerable: true,
        get: () => {
          reads += 1;
          return child;
        },
      });
    nodes.push(node);
  }

  const { repairs } = repair({ Target: nodes.at(-1), Price: 39.8 });

  expect(reads).toBeLessThan(100_000);
  expect(repairs.some(({ rule }) => rule === 'must hold at most 2000 values')).toBe(true);
});

test.each([
  ['half a million numbers', () => Array(500_000).fill(1)],
  ['half a million objects', () => Array.from({ length: 500_000 }, () => ({}))],
  [
    'an object of as many',
    () => ({ all: Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [n, {}])) }),
  ],
  ['a megabyte of bytes', () => new Uint8Array(1_000_000)],
])('%s are left out at once, told once, and cost the others nothing', (_, points) => {
  const { attributes, repairs } = repair({ Points: points(), Price: 39.8 });

  expect(attributes).toMatchObject({ Price: 39.8 });
  expect(repairs.length).toBeGreaterThan(0);
  expect(repairs.length).toBeLessThanOrEqual(2);
});

test('of half a million attributes no more are told of than are looked at', () => {
  const { repairs } = repair(Object.fromEntries(Array.from({ length: 500_000 }, (_, n) => [`a${n}`, n])));

  expect(repairs.length).toBeLessThan(2_100);
});

test('a name that is a prototype’s stays a name', () => {
  const { attributes } = repair(JSON.parse('{"__proto__": "x", "constructor": "y"}'));

  expect(Object.entries(attributes)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withNullPrototype: true,
  withObjectString: true,
  withUnicodeString: true,
});
const anyAttributes = fc.dictionary(
  fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('we_x', 'n'.repeat(49), '\ud800')),
  fc.oneof(anything, fc.string({ unit: 'binary', maxLength: 1_200 }), fc.constant(circle)),
  { maxKeys: 60 },
);

test('whatever attributes a page passes, what is left of them the relay accepts, and nothing throws', () => {
  fc.assert(
    fc.property(anyAttributes, (given) => {
      const eventData = repairAttributes(given, 'eventData', () => {});
      const attributes = repairAttributes(given, 'attributes', () => {});

      expect(checkRecord(JSON.parse(JSON.stringify(eventRecord(1, { eventData }))))).toMatchObject({
        ok: true,
      });
      expect(checkRecord(JSON.parse(JSON.stringify(userRecord(1, { attributes }))))).toMatchObject({
        ok: true,
      });
    }),
    { numRuns: 1_000 },
  );
});
