import { beforeAll, describe, expect, test } from 'vitest';
import type { WebEngageEvent } from '../journeys/received.ts';
import { realPages } from './harness/real-pages.ts';
import { realRelay } from './harness/real-relay.ts';
import { type Right, STRANGE_VALUES } from './harness/strange-values.ts';
import type { PageEvent, Tab, Visitor } from './harness/visitor.ts';

// The tracker copies any value safely: it arrives unchanged, or the change is reported.

const pages = realPages();
const relay = realRelay();

const WITH_FRAME = `window.openFrame = function () {
  return new Promise(function (done) {
    var f = document.createElement('iframe');
    f.onload = function () { window.frame = f.contentWindow; done(); };
    f.src = '/quiet';
    document.body.append(f);
  });
};`;

const cases = Object.entries(STRANGE_VALUES);

let visitor: Visitor;
let tab: Tab;
let reported: readonly PageEvent[];
let received: ReadonlyMap<string, WebEngageEvent>;

/** What the tracker reported of one event, except for values that it kept as they were. */
const repairsOf = (eventName: string) =>
  reported.filter(
    ({ name, about }) => name === 'repaired' && about.record === eventName && about.done !== 'kept',
  );

beforeAll(async () => {
  visitor = await pages.quickVisitor(relay.url());
  tab = await visitor.open({ before: WITH_FRAME });
  const calls = cases.map(
    ([, [expression]], index) => `
      webengageRelay.track('V${index}', { value: ${expression}, beside: 'stays' }).catch((e) => failed.push('V${index} ' + e)),
      webengageRelay.track('V${index} inside', { value: { keep: 1, inner: ${expression} }, beside: 'stays' }).catch((e) => failed.push('V${index} inside ' + e)),
      webengageRelay.track('V${index} listed', { value: ['first', ${expression}, 'last'], beside: 'stays' }).catch((e) => failed.push('V${index} listed ' + e)),`,
  );
  await tab.run(`await openFrame(); window.failed = []; await Promise.all([${calls.join('')}]);`);
  await tab.flush();
  reported = await tab.reported();
  received = new Map((await relay.events()).map((event) => [event.eventName, event]));
});

function expectRight(found: unknown, right: Right, eventName: string): void {
  const isReported = repairsOf(eventName).length > 0;
  if (right !== 'left out' && 'arrives' in right) {
    expect(found).toEqual(right.arrives);
    expect(isReported).toBe(false);
    return;
  }
  const mustReport = right === 'left out' || 'partly' in right || found === undefined;
  expect(isReported).toBe(mustReport);
  if (found === undefined) return;
  if (right === 'left out') expect(found).toBeUndefined();
  else if ('arrivesOr' in right) expect(right.arrivesOr).toContainEqual(found);
  else if (right.partly !== 'anything') expect(right.partly).toContainEqual(found);
}

test('no call was rejected, and nothing was thrown into the page', async () => {
  expect(await tab.run('return failed')).toEqual([]);
  expect(tab.errors).toEqual([]);
  expect(reported.filter(({ name }) => name === 'rejected')).toEqual([]);
});

describe.each(cases.map(([title, [, right]], index) => ({ title, right, name: `V${index}` })))(
  '$title',
  ({ right, name }) => {
    test('as an attribute', () => {
      const data = received.get(name)?.eventData;

      expect(data?.beside).toBe('stays');
      expectRight(data?.value, right, name);
    });

    test('in an object', () => {
      const inside = `${name} inside`;
      const data = received.get(inside)?.eventData;

      expect(data?.beside).toBe('stays');
      expect(data?.value).toMatchObject({ keep: 1 });
      expectRight(Object(data?.value).inner, right, inside);
    });

    test('in an array', () => {
      const listed = `${name} listed`;
      const data = received.get(listed)?.eventData;

      expect(data?.beside).toBe('stays');
      const list = data?.value as readonly unknown[] | undefined;
      // The list goes as a whole, or what is between the first and the last does.
      if (list === undefined) return expect(repairsOf(listed)).not.toEqual([]);
      expect([list[0], list.at(-1)]).toEqual(['first', 'last']);
      expectRight(list.length === 2 ? undefined : list[1], right, listed);
    });
  },
);

describe('as the event data itself', () => {
  test.each([
    ['undefined', 'undefined', undefined, 'unreported'],
    ['a plain object', `{ a: 1 }`, { a: 1 }, 'unreported'],
    ['an object from a frame', `frame.eval('({ a: 1 })')`, { a: 1 }, 'unreported'],
    ['an object with a toJSON', `{ secret: 1, toJSON() { return { a: 1 }; } }`, { a: 1 }, 'unreported'],
    [
      'a toJSON of a class',
      `new (class Data { secret = 1; toJSON() { return { a: 1 }; } })()`,
      { a: 1 },
      'unreported',
    ],
    ['a Map', `new Map([['a', 1]])`, { a: 1 }, 'either'],
    ['a Set', `new Set([1])`, {}, 'reported'],
    ['a Date', `new Date()`, {}, 'reported'],
    ['an Error', `new Error('x')`, {}, 'reported'],
    ['a forgotten await', `Promise.resolve({ a: 1 })`, {}, 'reported'],
    ['a text', `'text'`, {}, 'reported'],
    ['a number', `5`, {}, 'reported'],
    ['a function', `() => {}`, {}, 'reported'],
    ['FormData', `new FormData()`, {}, 'reported'],
    ['an element', `document.body`, {}, 'reported'],
    ['a toJSON that throws', `{ a: 1, toJSON() { throw new Error('no'); } }`, {}, 'reported'],
    [
      'a proxy that throws',
      `new Proxy({}, { get() { throw new Error('no'); }, ownKeys() { throw new Error('no'); }, has() { throw new Error('no'); } })`,
      {},
      'reported',
    ],
    [
      'a revoked proxy',
      `(function (p) { p.revoke(); return p.proxy; })(Proxy.revocable({}, {}))`,
      {},
      'reported',
    ],
    [
      'a getter that throws, and one that does not',
      `{ get bad() { throw new Error('no'); }, get a() { return 1; } }`,
      { a: 1 },
      'reported',
    ],
  ] as const)('%s: the event arrives', async (title, expression, expected, repair) => {
    const name = `Whole ${title}`.slice(0, 49);

    await tab.run(`await webengageRelay.track(${JSON.stringify(name)}, ${expression})`);
    await tab.flush();

    reported = await tab.reported();
    const event = (await relay.events()).find(({ eventName }) => eventName === name);
    expect(event).toBeDefined();
    const isReported = repairsOf(name).length > 0;
    if (repair === 'either' && isReported) expect(event?.eventData ?? {}).toEqual({});
    else expect(event?.eventData ?? {}).toEqual(expected ?? {});
    if (repair !== 'either') expect(isReported).toBe(repair === 'reported');
  });
});

describe('more than a record may hold', () => {
  test.each([
    ['a text of a million characters', `'x'.repeat(1e6)`],
    ['a text of a million emoji', `'👩'.repeat(1e6)`],
    ['an array of 200,000 numbers', `Array.from({ length: 2e5 }, (_, i) => i)`],
    ['an array with a false length', `new Array(4e9)`],
    [
      'an object with 100,000 names',
      `Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => ['n' + i, i]))`,
    ],
    [
      'arrays in arrays, 10,000 deep',
      `(function () { let a = []; for (let i = 0; i < 1e4; i++) a = [a]; return a; })()`,
    ],
    [
      'objects that share one another, 2^40 paths',
      `(function () { let o = { x: 1 }; for (let i = 0; i < 40; i++) o = { a: o, b: o }; return o; })()`,
    ],
    ['1,000 texts of 900 characters', `Array.from({ length: 1000 }, () => 'y'.repeat(900))`],
    ['names of 100,000 characters', `{ ['k'.repeat(1e5)]: 1 }`],
  ])('%s: reported, and the neighbours arrive', async (title, expression) => {
    const name = title.slice(0, 40);

    await tab.run(`await Promise.all([
      webengageRelay.track(${JSON.stringify(`${name} -`)}),
      webengageRelay.track(${JSON.stringify(name)}, { value: ${expression}, beside: 'stays' }),
      webengageRelay.track(${JSON.stringify(`${name} +`)})])`);

    expect(await tab.flush()).toEqual({ settled: true });
    reported = await tab.reported();
    const those = (await relay.events()).filter(({ eventName }) => eventName.startsWith(name));
    expect(those.map(({ eventName }) => eventName)).toEqual([`${name} -`, name, `${name} +`]);
    expect(those[1]?.eventData?.beside).toBe('stays');
    expect(repairsOf(name)).not.toEqual([]);
    expect(Math.max(...visitor.relay.requests().map(({ body }) => Buffer.byteLength(body)))).toBeLessThan(
      131_072,
    );
  });

  test('150 attributes of 900 characters, over 131,072 bytes in all: reported, and the neighbours arrive', async () => {
    await tab.run(`const data = Object.fromEntries(Array.from({ length: 150 }, (_, i) => ['n' + i, ['z'.repeat(900)]]));
      await Promise.all([webengageRelay.track('Wide -'), webengageRelay.track('Wide', data), webengageRelay.track('Wide +')])`);

    expect(await tab.flush()).toEqual({ settled: true });
    reported = await tab.reported();
    const names = (await relay.events())
      .map(({ eventName }) => eventName)
      .filter((name) => name.startsWith('Wide'));
    expect(names).toEqual(['Wide -', 'Wide', 'Wide +']);
    expect(repairsOf('Wide')).not.toEqual([]);
  });
});

test('each record has the object’s values of the time of the call', async () => {
  await tab.run(`
    const cart = { product: 'Mug', lines: [{ n: 1 }], when: new Date(Date.UTC(2026, 0, 1)) };
    const calls = [webengageRelay.track('Snapshot', cart)];
    cart.product = 'Hat'; cart.lines[0].n = 2; cart.when.setTime(0);
    calls.push(webengageRelay.track('Snapshot', cart));
    cart.lines.push({ n: 3 }); delete cart.product;
    await Promise.all(calls);`);
  await tab.flush();

  const those = (await relay.events()).filter(({ eventName }) => eventName === 'Snapshot');
  expect(those.map(({ eventData }) => eventData)).toEqual([
    { product: 'Mug', lines: [{ n: 1 }], when: '2026-01-01T05:30:00+0530' },
    { product: 'Hat', lines: [{ n: 2 }], when: '1970-01-01T05:30:00+0530' },
  ]);
});

describe('a call that can’t become a record', () => {
  test.each([
    ['no event name', 'track()', /eventName/],
    ['an empty event name', `track('')`, /eventName/],
    ['null for an event name', 'track(null)', /eventName/],
    ['an object for an event name', 'track({ event: "x" })', /eventName/],
    [
      'a proxy that throws for an event name',
      'track(new Proxy({}, { get() { throw new Error("no"); } }))',
      /eventName/,
    ],
    ['no user id', 'identify()', /userId/],
    ['an empty user id', `identify('')`, /userId/],
    ['null for a user id', 'identify(null)', /userId/],
    ['a number for a user id', 'identify(5)', /userId/],
    ['a user id of 101 characters', `identify('u'.repeat(101))`, /userId/],
    ['a function for a user id', 'identify(() => {})', /userId/],
  ])('%s: the promise rejects and names the field', async (_, call, field) => {
    const error = await tab.run(`
      let promise;
      try { promise = webengageRelay.${call}; } catch (error) { return 'thrown ' + error; }
      return promise.then(() => 'resolved', (error) => 'rejected ' + error);`);

    expect(error).toMatch(/^rejected /);
    expect(error).toMatch(field);
    expect(tab.errors).toEqual([]);
  });
});
