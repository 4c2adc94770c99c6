/**
 * The expected result for a value: how it arrives, or that it is left out and reported. For some, both are right.
 * `partly`: some of it can't be sent, so it is reported, and the rest arrives as one of these, or not at all.
 */
export type Right =
  | { readonly arrives: unknown }
  | 'left out'
  | { readonly arrivesOr: readonly unknown[] }
  | { readonly partly: readonly unknown[] | 'anything' };

const arrives = (value: unknown): Right => ({ arrives: value });
/** One of these, or left out and reported. */
const either = (...values: readonly unknown[]): Right => ({ arrivesOr: values });

const partly = (...values: readonly unknown[]): Right => ({ partly: values });

/** Expressions for a page with a frame of its own origin in `frame`; the page's time zone is `ZONE`. */
export const STRANGE_VALUES: Readonly<Record<string, readonly [expression: string, right: Right]>> = {
  // What JSON has, in forms that a careless check misses.
  'a plain object': [`({ a: 1, b: 'x' })`, arrives({ a: 1, b: 'x' })],
  'an object without a prototype': [`Object.assign(Object.create(null), { a: 1 })`, arrives({ a: 1 })],
  'a plain object of a frame': [`frame.eval('({ a: 1 })')`, arrives({ a: 1 })],
  'an array of a frame': [`frame.eval('[1, 2]')`, arrives([1, 2])],
  'a frozen object': [`Object.freeze({ a: 1 })`, arrives({ a: 1 })],
  'a proxy of a plain object': [`new Proxy({ a: 1 }, {})`, arrives({ a: 1 })],
  'a proxy of an array': [`new Proxy([1, 2], {})`, arrives([1, 2])],
  'an array of a subclass': [`(class List extends Array {}).from([1, 2])`, arrives([1, 2])],
  'a getter of its own': [`({ get a() { return 1; } })`, arrives({ a: 1 })],
  'names that all objects have': [
    `({ constructor: 'c', toString: 't', hasOwnProperty: 'h', valueOf: 'v', length: 3 })`,
    arrives({ constructor: 'c', toString: 't', hasOwnProperty: 'h', valueOf: 'v', length: 3 }),
  ],
  'a toJSON that is no function': [`({ toJSON: 'yes', a: 1 })`, arrives({ toJSON: 'yes', a: 1 })],
  'one object twice': [
    `(function (o) { return { a: o, b: o }; })({ x: 1 })`,
    arrives({ a: { x: 1 }, b: { x: 1 } }),
  ],
  'minus zero': ['-0', arrives(0)],
  'the empty text': [`''`, arrives('')],
  'an emoji': [`'👩‍👩‍👧'`, arrives('👩‍👩‍👧')],
  'control characters': [`'a\\u0000b\\u2028c'`, arrives('a\u0000b\u2028c')],
  // Dates, wherever they come from.
  'a Date': [`new Date(Date.UTC(2026, 0, 2, 3, 4, 5))`, arrives('2026-01-02T08:34:05+0530')],
  'a Date of a frame': [`new frame.Date(Date.UTC(2026, 0, 2, 3, 4, 5))`, arrives('2026-01-02T08:34:05+0530')],
  'a Date of a subclass': [
    `new (class Day extends Date {})(Date.UTC(2026, 0, 2, 3, 4, 5))`,
    arrives('2026-01-02T08:34:05+0530'),
  ],
  'a Date whose prototype is another': [
    `Object.setPrototypeOf(new Date(Date.UTC(2026, 0, 2, 3, 4, 5)), null)`,
    either('2026-01-02T08:34:05+0530'),
  ],
  'a Date before 1970': [`new Date(Date.UTC(1969, 11, 31, 12))`, arrives('1969-12-31T17:30:00+0530')],
  'an invalid Date': [`new Date('never')`, 'left out'],
  'a Date of the year 275760': [`new Date(8.64e15)`, 'left out'],
  // What says itself how it is written.
  'a toJSON of its own': [`({ secret: 1, toJSON() { return { shown: 2 }; } })`, arrives({ shown: 2 })],
  'a toJSON of its class': [`new (class Money { toJSON() { return 'EUR 3'; } })()`, arrives('EUR 3')],
  'a toJSON that answers with a Date': [
    `({ toJSON() { return new Date(Date.UTC(2026, 0, 2, 3, 4, 5)); } })`,
    arrives('2026-01-02T08:34:05+0530'),
  ],
  'a URL': [`new URL('https://shop.example.com/a?b=1')`, arrives('https://shop.example.com/a?b=1')],
  'a DOMRect': [
    `new DOMRect(1, 2, 3, 4)`,
    arrives({ x: 1, y: 2, width: 3, height: 4, top: 2, right: 4, bottom: 6, left: 1 }),
  ],
  'a toJSON that throws': [`({ toJSON() { throw new Error('no'); } })`, 'left out'],
  'a toJSON that answers with itself': [
    `(function () { const o = { toJSON() { return o; } }; return o; })()`,
    // As JSON has it; its `toJSON` is left out, and reported.
    { partly: [{}] },
  ],
  'a toJSON that answers with a function': [`({ toJSON() { return () => {}; } })`, 'left out'],
  // Lists and tables.
  'a Map': [`new Map([['a', 1]])`, either({ a: 1 }, [['a', 1]])],
  'a Map with keys that are objects': [`new Map([[{}, 1]])`, either([[{}, 1]])],
  'a Map of a frame': [`new frame.Map([['a', 1]])`, either({ a: 1 }, [['a', 1]])],
  'a Set': [`new Set([1, 2])`, either([1, 2])],
  'a Set of a frame': [`new frame.Set([1, 2])`, either([1, 2])],
  'a WeakMap': [`new WeakMap()`, 'left out'],
  URLSearchParams: [`new URLSearchParams('a=1')`, either('a=1', { a: '1' }, [['a', '1']])],
  FormData: [
    `(function (f) { f.append('a', '1'); return f; })(new FormData())`,
    either({ a: '1' }, [['a', '1']]),
  ],
  Headers: [`new Headers({ a: '1' })`, either({ a: '1' }, [['a', '1']])],
  'a NodeList': [`document.querySelectorAll('main')`, 'left out'],
  arguments: [`(function () { return arguments; })(1, 2)`, either([1, 2], { 0: 1, 1: 2 })],
  'a generator': [`(function* () { yield 1; })()`, either([1])],
  // Boxes.
  'a boxed number': [`new Number(5)`, either(5)],
  'a boxed text': [`new String('x')`, either('x')],
  'a boxed boolean': [`new Boolean(false)`, either(false)],
  'a boxed bigint': [`Object(5n)`, either(5, '5')],
  // What JSON has no words for.
  null: ['null', 'left out'],
  NaN: ['NaN', 'left out'],
  Infinity: ['-Infinity', 'left out'],
  'a bigint': ['9007199254740993n', either('9007199254740993')],
  'a symbol': [`Symbol('x')`, 'left out'],
  'a function': ['() => 1', 'left out'],
  'a class': ['class A {}', 'left out'],
  'an Error': [
    `new TypeError('broken')`,
    either('TypeError: broken', 'broken', { message: 'broken' }, { name: 'TypeError', message: 'broken' }),
  ],
  'a DOMException': [
    `new DOMException('broken', 'AbortError')`,
    either('AbortError: broken', 'broken', { name: 'AbortError', message: 'broken' }),
  ],
  'a forgotten await': [`Promise.resolve({ a: 1 })`, 'left out'],
  'a thenable': [`({ then: (y) => y(1) })`, partly({})],
  'a regular expression': ['/x/g', either('/x/g')],
  'an ArrayBuffer': [`new ArrayBuffer(8)`, 'left out'],
  'a Uint8Array': [`new Uint8Array([1, 2])`, either([1, 2])],
  'a DataView': [`new DataView(new ArrayBuffer(8))`, 'left out'],
  'a Blob': [`new Blob(['x'])`, 'left out'],
  'a File': [`new File(['x'], 'x.txt')`, 'left out'],
  'an element': [`document.body`, 'left out'],
  'the window': [`window`, 'left out'],
  'the window of a frame': [`frame`, 'left out'],
  'an event': [`new Event('click')`, either({ isTrusted: false })],
  'a response': [`new Response('x')`, 'left out'],
  'a number format': [`new Intl.NumberFormat('en')`, 'left out'],
  'a weak reference': [`new WeakRef({})`, 'left out'],
  'an object of a class': [`new (class Cart { total = 3; #secret = 1; })()`, either({ total: 3 })],
  'an object of a class, all of it private': [`new (class Cart { #total = 3; })()`, 'left out'],
  // What bites.
  'a getter that throws': [`({ a: 1, get b() { throw new Error('no'); } })`, partly({ a: 1 })],
  'a proxy that throws': [
    `new Proxy({ a: 1 }, { get() { throw new Error('no'); }, ownKeys() { throw new Error('no'); }, getPrototypeOf() { throw new Error('no'); } })`,
    'left out',
  ],
  'a revoked proxy': [`(function (p) { p.revoke(); return p.proxy; })(Proxy.revocable({}, {}))`, 'left out'],
  'an object in itself': [`(function () { const o = { a: 1 }; o.self = o; return o; })()`, partly({ a: 1 })],
  'a proxy without end': [
    `(function endless() { return new Proxy({}, { ownKeys: () => ['deeper'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }), get: (_, name) => name === 'deeper' ? endless() : undefined }); })()`,
    { partly: 'anything' },
  ],
  'an own __proto__': [`JSON.parse('{"__proto__": { "admin": true }, "a": 1 }')`, partly({ a: 1 })],
};
