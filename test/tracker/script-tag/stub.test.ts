import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { README_STUB } from '../../readme-stub.ts';

type Queued = readonly [string, unknown[], number, unknown, unknown, string];
type StubMethod = (...call: unknown[]) => Promise<unknown>;
type Stub = { [method: string]: StubMethod } & { queue: Queued[]; options?: unknown };

const page = globalThis as { webengageRelay?: unknown };
const runStub = new Function(README_STUB.replace(/^<script>|<\/script>$/g, '')) as () => void;

/** What stands on the page after the line has run. */
function stub(): Stub {
  runStub();
  return page.webengageRelay as Stub;
}

/** What is queued of the only argument of a call, after the call. */
function queued(given: unknown): unknown {
  const relay = stub();
  void relay.track?.('Seen', given);
  return relay.queue[0]?.[1][1];
}

beforeEach(() => {
  delete page.webengageRelay;
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

test('a call is queued with its method, arguments, time, and the page’s address', () => {
  const relay = stub();
  void relay.track?.('Seen');
  void relay.reset?.();

  expect(relay.queue.map(([method, call, at, , , address]) => [method, call, at, address])).toEqual([
    ['track', ['Seen'], 1_700_000_000_000, location.href],
    ['reset', [], 1_700_000_000_000, location.href],
  ]);
});

test('every method of a tracker is queued', () => {
  const relay = stub();
  for (const method of ['identify', 'track', 'reset', 'flush', 'stats', 'optOut', 'optIn', 'on', 'use'])
    void relay[method]?.();

  expect(relay.queue).toHaveLength(9);
});

test('a call keeps the values of the time of the call', () => {
  const relay = stub();
  const product = { name: 'Hat', sizes: [1, 2], maker: { city: 'Pune' } };
  void relay.track?.('Seen', product);
  product.name = 'Shoe';
  product.sizes.push(3);
  product.maker.city = 'Berlin';

  expect(relay.queue[0]?.[1][1]).toEqual({ name: 'Hat', sizes: [1, 2], maker: { city: 'Pune' } });
});

test.each([
  ['a Date', new Date(0)],
  ['a Map', new Map([[1, 2]])],
  ['a function', () => 1],
  ['an instance of a class', new (class Money {})()],
  ['an object with a toJSON on its prototype', Object.create({ toJSON: () => 1 })],
  ['null', null],
  ['a string', 'x'],
  ['a symbol', Symbol('x')],
])('%s is queued as it is', (_, given) => {
  expect(queued({ given })).toEqual({ given: expect.toSatisfy((value) => value === given) });
});

test.each([
  ['an object without a prototype', Object.assign(Object.create(null), { a: { b: 1 } })],
  ['a name like __proto__', JSON.parse('{"__proto__": "1", "a": 2}')],
  ['undefined', { a: undefined, b: [undefined] }],
  ['an array with a hole at its end', Object.assign(Array(3), [1])],
])('%s is copied whole', (_, given) => {
  const copy = queued(given);

  expect(copy).not.toBe(given);
  expect(Object.entries(copy as object)).toEqual(Object.entries(given));
  expect((copy as { length?: number }).length).toBe(given.length);
});

test('an object of another realm is copied', async () => {
  const { runInNewContext } = await import('node:vm');
  const given = runInNewContext('({ list: [{ a: 1 }] })');
  const copy = queued(given) as { list: { a: number }[] };
  given.list[0].a = 2;

  expect(copy.list[0]?.a).toBe(1);
});

test('a cycle, a deep structure and a throwing getter are queued, and throw nothing', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const tangle = Array.from({ length: 100 }, () => ({ all: undefined as unknown }));
  for (const each of tangle) each.all = tangle;
  const thrower = new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('no');
      },
    },
  );
  const getter = {
    get price(): number {
      throw new Error('no');
    },
  };

  const copy = queued({ circle, tangle, thrower, getter }) as Record<string, unknown>;

  expect(Object.keys(copy)).toEqual(['circle', 'tangle', 'thrower', 'getter']);
  expect(queued({ thrower, getter })).toMatchObject({
    thrower: {},
    getter: expect.toSatisfy((it) => it === getter),
  });
});

test('members inherited by every object are not copied', () => {
  Object.assign(Object.prototype, { reset: () => {} });
  const copy = queued({ a: 1 });
  delete (Object.prototype as { reset?: unknown }).reset;

  expect(Object.keys(copy as object)).toEqual(['a']);
});

test('an existing stub stays, with its queue', () => {
  const relay = stub();
  void relay.track?.('Seen');

  expect(stub()).toBe(relay);
  expect(relay.queue).toHaveLength(1);
});

test('an existing tracker stays', () => {
  const tracker = { track: () => {} };
  page.webengageRelay = tracker;

  expect(stub()).toBe(tracker);
  expect(Object.keys(tracker)).toEqual(['track']);
});

test('options set before the stub stay', () => {
  page.webengageRelay = { options: { consent: 'pending' } };

  expect(stub().options).toEqual({ consent: 'pending' });
});

test('a promise rejects five seconds after its call, and the call stays queued', async () => {
  const relay = stub();
  const made = relay.track?.('Seen');
  await vi.advanceTimersByTimeAsync(4_999);
  const before = await Promise.race([made, Promise.resolve('waits')]);
  await vi.advanceTimersByTimeAsync(1);

  expect(before).toBe('waits');
  await expect(made).rejects.toThrow('webengageRelay did not load');
  expect(relay.queue).toHaveLength(1);
});
