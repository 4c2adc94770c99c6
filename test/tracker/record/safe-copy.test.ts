import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../../src/contract/rules/text.ts';
import { copyObject, type Difference } from '../../../src/tracker/record/safe-copy.ts';
import { writeDate } from '../../../src/tracker/record/write-date.ts';
import { onSpoiltPage, SPOILT_PAGES } from '../../fakes/browser/spoilt-page.ts';

function copy(given: unknown, path = 'eventData') {
  const reported: Difference[] = [];
  const { json } = copyObject(given, path, (difference) => reported.push(difference));
  return { json, kept: JSON.parse(json), reported, paths: reported.map(({ path }) => path) };
}

class Empty {
  #hidden = 1;
  read() {
    return this.#hidden;
  }
}

class Cart {
  items = 2;
  total() {
    return 3;
  }
}

const circle: { self?: unknown } = {};
circle.self = circle;

/** Objects in each other, as many as asked. */
function nested(levels: number): object {
  let inner: object = {};
  for (let n = 1; n < levels; n++) inner = { inner };
  return inner;
}

const isoSeconds = (moment: string) => writeDate(Date.parse(moment));

describe('an accepted value', () => {
  test.each<[string, unknown, unknown]>([
    ['text', 'Hat', 'Hat'],
    ['empty text', '', ''],
    ['text of 999 units', 'n'.repeat(999), 'n'.repeat(999)],
    ['text with quotes, control characters and line separators', '"\\\u0000\u2028\n', '"\\\u0000\u2028\n'],
    ['half a surrogate pair', '\ud800', '\ud800'],
    ['a number', 39.8, 39.8],
    ['a very large number', 1e300, 1e300],
    ['a very small number', 5e-324, 5e-324],
    ['minus zero', -0, 0],
    ['a boolean', false, false],
    ['a boxed number', new Number(3), 3],
    ['boxed text', new String('Hat'), 'Hat'],
    ['a boxed boolean', new Boolean(false), false],
    ['a Date', new Date('2026-11-23T15:45:00.123Z'), isoSeconds('2026-11-23T15:45:00Z')],
    ['a Date of another realm', runInNewContext('new Date(0)'), isoSeconds('1970-01-01T00:00:00Z')],
    ['an instance of a subclass of Date', new (class extends Date {})(0), isoSeconds('1970-01-01T00:00:00Z')],
    ['a Date with its own toJSON', Object.assign(new Date(0), { toJSON: () => 'x' }), writeDate(0)],
    ['an empty array', [], []],
    ['an empty object', {}, {}],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['an empty object without a prototype', Object.create(null), {}],
    ['an object of another realm', runInNewContext('({ a: [1, {}] })'), { a: [1, {}] }],
    ['an array of another realm', runInNewContext('[1, [2]]'), [1, [2]]],
    ['an instance of a subclass of Array', class extends Array {}.of(1, 2, 3), [1, 2, 3]],
    ['an instance of a class with properties', new Cart(), { items: 2 }],
    ['an object that inherits', Object.assign(Object.create({ inherited: 1 }), { own: 2 }), { own: 2 }],
    ['a proxy of an object', new Proxy({ a: 1 }, {}), { a: 1 }],
    ['a proxy of an array', new Proxy([1, 2], {}), [1, 2]],
    ['a frozen object', Object.freeze({ a: Object.freeze([1]) }), { a: [1] }],
    [
      'the value of a getter',
      {
        get a() {
          return 1;
        },
      },
      { a: 1 },
    ],
    ['arguments', { a: [1, 'x', true, { b: [] }] }, { a: [1, 'x', true, { b: [] }] }],
    ['a URL', new URL('https://example.com/a'), 'https://example.com/a'],
    ['the result of its own toJSON', { toJSON: () => ({ a: 1 }) }, { a: 1 }],
    [
      'the result of its class’s toJSON',
      new (class Price {
        toJSON() {
          return '9.90';
        }
      })(),
      '9.90',
    ],
    ['a toJSON on a plain prototype', Object.create({ toJSON: () => 'words' }), 'words'],
    [
      'a toJSON that a class inherits',
      new (class extends class {
        toJSON() {
          return 7;
        }
      } {})(),
      7,
    ],
    ['a Date from a toJSON', { toJSON: () => new Date(0) }, writeDate(0)],
    ['an array with its own toJSON', Object.assign([1], { toJSON: () => 'words' }), 'words'],
    ['a Map with its own toJSON', Object.assign(new Map(), { toJSON: () => ['a'] }), ['a']],
    [
      'a Map whose class has a toJSON',
      new (class Bag extends Map {
        toJSON() {
          return 'bag';
        }
      })(),
      'bag',
    ],
    [
      'a toJSON that returns its own object',
      {
        a: 1,
        toJSON() {
          return { ...this, toJSON: 2 };
        },
      },
      { a: 1, toJSON: 2 },
    ],
    ['a toJSON that is not a function', { toJSON: 5, a: 1 }, { toJSON: 5, a: 1 }],
    ['one object in two places', ((shared) => [shared, shared])({ a: 1 }), [{ a: 1 }, { a: 1 }]],
    ['sixteen levels', nested(15), nested(15)],
  ])('%s arrives without a report', (_, given, kept) => {
    expect(copy({ given, Price: 39.8 })).toMatchObject({ kept: { given: kept, Price: 39.8 }, reported: [] });
  });

  test('a property that is undefined counts as absent, without a report', () => {
    expect(copy({ Coupon: undefined, Cart: { Size: undefined } })).toMatchObject({
      json: '{"Cart":{}}',
      reported: [],
    });
  });

  test.each([undefined, null])('%j instead of the object counts as absent', (given) => {
    expect(copy(given)).toMatchObject({ json: '{}', reported: [] });
  });

  test('an outermost object is read through its toJSON', () => {
    expect(copy({ toJSON: () => ({ Price: 1 }) })).toMatchObject({ kept: { Price: 1 }, reported: [] });
  });

  test('fields keep their order, as JSON texts', () => {
    expect(copyObject({ b: 'x"', a: [1], c: {} }, '', () => {}).fields).toEqual([
      ['b', '"x\\""'],
      ['a', '[1]'],
      ['c', '{}'],
    ]);
  });
});

describe('a value that is left out', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['NaN', Number.NaN],
    ['Infinity', Number.NEGATIVE_INFINITY],
    ['a boxed NaN', new Number(Number.NaN)],
    ['a bigint', 10n],
    ['a boxed bigint', Object(10n)],
    ['a symbol', Symbol('s')],
    ['a boxed symbol', Object(Symbol('s'))],
    ['a function', () => 1],
    ['a class', Cart],
    ['a Map', new Map([['a', 1]])],
    ['a Map with properties', Object.assign(new Map(), { a: 1 })],
    ['a Set', new Set([1])],
    ['a WeakMap', new WeakMap()],
    ['a WeakRef', new WeakRef({})],
    ['an Error', new Error('no')],
    ['an Error with properties', Object.assign(new TypeError('no'), { code: 7 })],
    ['a Promise', Promise.resolve(1)],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['bytes', new Uint8Array([1, 2])],
    ['a DataView', new DataView(new ArrayBuffer(8))],
    ['a RegExp', /a/],
    ['an invalid Date', new Date(Number.NaN)],
    ['a Date of the year 12000', new Date(12_000, 1)],
    ['a Date before the year 0', new Date(-1e14)],
    ['a proxy of a Date', new Proxy(new Date(0), {})],
    ['an instance without properties of its own', new Empty()],
    ['an iterator', [1].values()],
    ['a generator', (function* () {})()],
    ['a Map of another realm', runInNewContext('new Map()')],
    ['an Error of another realm', runInNewContext('new Error()')],
    ['URL parameters', new URLSearchParams('a=1')],
    ['a form', new FormData()],
    ['headers', new Headers()],
    ['a node', document.createElement('p')],
    ['the document', document],
    ['an Intl formatter', new Intl.NumberFormat()],
    ['Math', Math],
    [
      'a toJSON that throws',
      {
        toJSON() {
          throw new Error('no');
        },
      },
    ],
    ['a toJSON that returns undefined', { toJSON() {} }],
    ['a toJSON that returns null', { toJSON: () => null }],
    ['a toJSON that returns a promise', { toJSON: async () => 1 }],
    [
      'a revoked proxy',
      ((pair) => {
        pair.revoke();
        return pair.proxy;
      })(Proxy.revocable({}, {})),
    ],
    [
      'a proxy that hides its keys',
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('no');
          },
        },
      ),
    ],
    [
      'a proxy that hides its prototype',
      new Proxy(
        {},
        {
          getPrototypeOf() {
            throw new Error('no');
          },
        },
      ),
    ],
    [
      'a proxy that throws on everything',
      new Proxy(
        {},
        {
          get() {
            throw new Error('no');
          },
        },
      ),
    ],
    ['seventeen levels', nested(17)],
  ])('%s is reported, and costs the others nothing', (_, given) => {
    const { kept, paths } = copy({ given, Price: 39.8 });

    // Of levels the innermost is left out, and of an object its property.
    expect(JSON.stringify(kept)).not.toContain('"given":{}');
    expect(kept.Price).toBe(39.8);
    expect(paths).toHaveLength(1);
    expect(paths[0]).toMatch(/^eventData\.given/);
  });

  test.each<[string, unknown]>([
    ['a Map', new Map([['a', 1]])],
    ['text', 'Hat'],
    ['a number', 7],
    ['an array', [1]],
    ['a function', () => 1],
    ['a Date', new Date(0)],
    ['a URL', new URL('https://example.com/')],
    ['an instance without properties', new Empty()],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('no');
          },
        },
      ),
    ],
    [
      'a toJSON that throws',
      {
        toJSON() {
          throw new Error('no');
        },
      },
    ],
  ])('%s instead of the object is reported', (_, given) => {
    expect(copy(given)).toMatchObject({ json: '{}', paths: ['eventData'] });
  });

  test('undefined and a hole in an array are reported by their index', () => {
    // biome-ignore lint/suspicious/noSparseArray: that is what pages give
    expect(copy({ Sizes: [1, undefined, 3, , 5] })).toMatchObject({
      kept: { Sizes: [1, 3, 5] },
      paths: ['eventData.Sizes.1', 'eventData.Sizes.3'],
    });
  });

  test('properties of an array beside its items are reported', () => {
    expect(copy({ Match: 'ab'.match(/b/) })).toMatchObject({
      kept: { Match: ['b'] },
      paths: ['eventData.Match.index', 'eventData.Match.input'],
    });
  });

  test('a property whose getter throws is reported, and its neighbours are kept', () => {
    const given = {
      get bad() {
        throw new Error('no');
      },
      good: 1,
    };

    expect(copy({ given })).toMatchObject({ kept: { given: { good: 1 } }, paths: ['eventData.given.bad'] });
  });

  test('an own __proto__ is reported, and sets no prototype', () => {
    expect(copy(JSON.parse('{"__proto__":{"a":1},"in":{"__proto__":2},"b":3}'))).toMatchObject({
      json: '{"in":{},"b":3}',
      paths: ['eventData.__proto__', 'eventData.in.__proto__'],
    });
  });

  test('in a cycle, the property that leads back is reported', () => {
    expect(copy({ circle })).toMatchObject({ json: '{"circle":{}}', paths: ['eventData.circle.self'] });
  });

  test('a proxy with endless ancestors, and one with an impossible length, block nothing', () => {
    const endless: object = new Proxy(
      Object.assign(() => {}, { a: 1 }),
      { getPrototypeOf: () => endless },
    );
    const long = new Proxy([1], {
      get: (list, name) => (name === 'length' ? 'long' : Reflect.get(list, name)),
    });

    const { reported } = copy({ endless, long, Price: 1 });

    expect(reported.length).toBeGreaterThan(0);
  });
});

describe('text that is too long', () => {
  test('is cut to 999 units and reported', () => {
    const { kept, reported } = copy({ Note: 'n'.repeat(1_000) });

    expect(kept.Note).toBe('n'.repeat(999));
    expect(reported).toEqual([
      { path: 'eventData.Note', rule: 'must have at most 999 characters', done: 'cut' },
    ]);
  });

  test('is never cut within a surrogate pair', () => {
    expect(copy({ Note: `${'n'.repeat(998)}😀` }).kept.Note).toBe('n'.repeat(998));
    expect(copy({ Note: `${'n'.repeat(997)}😀😀` }).kept.Note).toBe(`${'n'.repeat(997)}😀`);
  });
});

describe('a record is bounded', () => {
  test.each<[string, unknown]>([
    ['half a million numbers', Array(500_000).fill(1)],
    ['half a million objects', Array.from({ length: 500_000 }, () => ({}))],
    ['50,000 properties', Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [n, {}]))],
    ['an array of a length without items', Object.assign([], { length: 4_000_000_000 })],
    ['46,000 bytes', Array(46).fill('n'.repeat(999))],
    ['46,000 bytes of three-byte characters', Array(20).fill('€'.repeat(900))],
    ['names of 46,000 bytes', { ['n'.repeat(46_000)]: 1 }],
    ['a name that JSON escapes', { ['\u0001'.repeat(9_000)]: 1 }],
  ])('%s are left out as a whole, reported once, and cost the others nothing', (_, Points) => {
    const { kept, reported } = copy({ Before: [1], Points, Cart: [{ Price: 1 }], Price: 39.8 });

    expect(kept).toEqual({ Before: [1], Cart: [{ Price: 1 }], Price: 39.8 });
    expect(reported).toEqual([
      {
        path: 'eventData.Points',
        rule: 'must hold at most 2000 values, 16 levels and 45000 bytes',
        done: 'left_out',
      },
    ]);
  });

  test('an attribute of a profile is left out as a whole, not the attributes', () => {
    const attributes = { tree: Array(3_000).fill(1), text: Array(46).fill('n'.repeat(999)), plan: 'Premium' };

    expect(copy({ phone: '+1', attributes }, '')).toMatchObject({
      kept: { phone: '+1', attributes: { plan: 'Premium' } },
      paths: ['attributes.tree', 'attributes.text'],
    });
  });

  test('all kept values together have at most 45,000 bytes, exactly', () => {
    const text = 'é'.repeat(999);
    const given = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`a${n}`, text]));

    const { json, reported } = copy(given);

    expect(utf8Bytes(json)).toBeLessThanOrEqual(45_000);
    expect(utf8Bytes(json)).toBeGreaterThan(45_000 - 2_010);
    expect(reported).toHaveLength(40 - Object.keys(JSON.parse(json)).length);
  });

  test('values within the bounds are kept', () => {
    const given = { Points: Array(1_999).fill(1) };

    expect(copy(given)).toMatchObject({ kept: given, reported: [] });
  });

  test('an object of 100,000 properties is reported once', () => {
    const given = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`a${n}`, n]));

    expect(copy(given)).toMatchObject({ json: '{}', paths: ['eventData'] });
  });

  test('objects that share references, as a framework’s nodes do, are abandoned early', () => {
    let reads = 0;
    const nodes: object[] = [{}];
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

    const { kept, paths } = copy({ Target: nodes.at(-1), Cart: [1], Price: 39.8 });

    expect(reads).toBeLessThan(5_000);
    expect(kept).toEqual({ Cart: [1], Price: 39.8 });
    expect(paths).toEqual(['eventData.Target']);
  });
});

test('paths of a profile have no root', () => {
  expect(copy({ phone: null, attributes: { plan: null, list: [null] } }, '')).toMatchObject({
    json: '{"attributes":{"list":[]}}',
    paths: ['phone', 'attributes.plan', 'attributes.list.0'],
  });
});

test('each property is read once', () => {
  const reads: PropertyKey[] = [];
  const watched = new Proxy(
    { a: 1, b: [1], c: { d: 1 } },
    {
      get: (target, name) => {
        reads.push(name);
        return Reflect.get(target, name);
      },
    },
  );

  copy({ watched });

  expect(reads.filter((name) => /^[abc]$/.test(String(name)))).toEqual(['a', 'b', 'c']);
});

test('a name is written as it is, wherever calls before it had another', () => {
  const names = ['a', 'i', '"', 'a', '€'];

  const texts = names
    .flatMap((name) => [{ [name]: 1 }, { first: 0, [name]: 1 }])
    .map((given) => copy(given).json);

  expect(texts).toEqual(
    names.flatMap((name) => [`{${JSON.stringify(name)}:1}`, `{"first":0,${JSON.stringify(name)}:1}`]),
  );
});

test('the given object is copied at the call', () => {
  const given = { Cart: [{ Price: 1 }] };
  const { json } = copyObject(given, 'eventData', () => {});
  given.Cart.push({ Price: 2 });

  expect(json).toBe('{"Cart":[{"Price":1}]}');
});

describe('a page’s own built-ins change nothing:', () => {
  const moment = new Date('2026-11-23T15:45:00Z');
  const given = {
    Price: 39.8,
    Name: 'Hat',
    Gift: true,
    Sizes: [1, [2, 3], { a: 'x' }],
    When: moment,
    Link: new URL('https://example.com/a'),
    Bag: new Map(),
    Note: 'n'.repeat(1_000),
    Boxed: new Number(1),
    Words: new (class Price {
      toJSON() {
        return '9.90';
      }
    })(),
    Empty: {},
  };
  const right = copy(given);

  test.each(Object.keys(SPOILT_PAGES))('%s', (name) => {
    const reported: Difference[] = [];

    const { json } = onSpoiltPage(name, () =>
      copyObject(given, 'eventData', (difference) => {
        reported[reported.length] = difference;
      }),
    );

    expect(json).toBe(right.json);
    expect(reported).toEqual(right.reported);
  });

  test('an inherited item does not fill a hole', () => {
    const reported: Difference[] = [];

    // biome-ignore lint/suspicious/noSparseArray: that is what pages give
    const list = [0, , 2];
    const { json } = onSpoiltPage('enumerable names on Array.prototype', () =>
      copyObject({ list }, '', (difference) => {
        reported[reported.length] = difference;
      }),
    );

    expect(json).toBe('{"list":[0,2]}');
    expect(reported.map(({ path }) => path)).toEqual(['list.1']);
  });
});
