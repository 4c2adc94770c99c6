import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ReadRecord, readRecord } from '../../src/contract/read-record.ts';
import { checkRecord } from '../../src/contract/record.ts';
import { eventRecord, idOf, userRecord } from '../fakes/records.ts';

const read = (input: unknown, lenient = true) => readRecord(input, lenient);

const recordOf = (result: ReadRecord) => (result.ok ? result.record : undefined);
const repairsOf = (result: ReadRecord) => (result.ok ? result.repairs : undefined);

const data = (eventData: object) => read({ ...eventRecord(1), eventData });
const profile = (fields: object) => read({ kind: 'user', id: idOf(1), userId: 'ada', ...fields });

describe('a good record passes unchanged, lenient or not', () => {
  test.each([
    ['an event', eventRecord(1)],
    ['a user', userRecord(1)],
    ['an anonymous visitor’s profile', { kind: 'user', id: idOf(1), anonymousId: 'a1', firstName: 'Ada' }],
  ])('%s', (_, record) => {
    for (const lenient of [true, false])
      expect(read(record, lenient)).toEqual({ ok: true, record, repairs: [] });
  });
});

describe('a birthday', () => {
  test.each([true, false])(
    'that is a calendar day becomes its noon in UTC without a report; lenient: %s',
    (lenient) => {
      const result = read(userRecord(1, { birthDate: '1990-05-17' }), lenient);

      expect(result).toEqual({
        ok: true,
        record: userRecord(1, { birthDate: '1990-05-17T12:00:00+0000' }),
        repairs: [],
      });
    },
  );

  test.each(['1990-02-30', '1990-5-17', '17.05.1990', ''])('%j is invalid and left out', (birthDate) => {
    const result = profile({ birthDate });

    expect(recordOf(result)).toEqual({ kind: 'user', id: idOf(1), userId: 'ada' });
    expect(repairsOf(result)).toMatchObject([{ path: 'birthDate', done: 'left_out' }]);
  });
});

describe('a field that no record of its kind has is left out and reported', () => {
  test.each([true, false])('lenient: %s', (lenient) => {
    const result = read({ ...eventRecord(1), email: 'a@b.c', newThing: { a: 1 } }, lenient);

    expect(result).toEqual({
      ok: true,
      record: eventRecord(1),
      repairs: [
        { path: 'email', rule: 'is not a field of an event', done: 'left_out' },
        { path: 'newThing', rule: 'is not a field of an event', done: 'left_out' },
      ],
    });
  });

  test.each(['__proto__', 'constructor', 'toString'])('%s', (name) => {
    const record = JSON.parse(`{"${name}":1,${JSON.stringify(eventRecord(1)).slice(1)}`);

    expect(read(record)).toMatchObject({ ok: true, record: eventRecord(1), repairs: [{ path: name }] });
  });
});

describe('text is cut', () => {
  test('in a profile, in custom attributes, and within them', () => {
    const long = 'x'.repeat(1_500);

    const result = profile({ company: long, attributes: { Note: long, Notes: [long] } });

    const cut = 'x'.repeat(999);
    expect(recordOf(result)).toMatchObject({ company: cut, attributes: { Note: cut, Notes: [cut] } });
    const rule = 'must be well-formed text of 0 to 999 characters';
    expect(repairsOf(result)).toEqual([
      { path: 'company', rule, done: 'cut' },
      { path: 'attributes.Note', rule, done: 'cut' },
      { path: 'attributes.Notes.0', rule, done: 'cut' },
    ]);
  });

  test('at half surrogate pairs, and not within a pair', () => {
    const result = data({ half: 'a\ud800b', pair: `${'x'.repeat(998)}😀` });

    expect(recordOf(result)).toMatchObject({ eventData: { half: 'ab', pair: 'x'.repeat(998) } });
  });
});

describe('a fault of one attribute removes only that attribute', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

  test.each([
    ['a system name', { we_x: 1 }, 'eventData.we_x', {}],
    ['a name of 50 characters', { ['n'.repeat(50)]: 1 }, `eventData.${'n'.repeat(50)}`, {}],
    ['no name', { '': 1 }, 'eventData.', {}],
    ['a null', { a: null }, 'eventData.a', {}],
    ['a null in an array', { a: [1, null, 3] }, 'eventData.a.1', { a: [1, 3] }],
    ['a number that is too large', { a: Number.POSITIVE_INFINITY }, 'eventData.a', {}],
    ['half a surrogate pair in a nested name', { a: { '\ud800': 1, b: 2 } }, 'eventData.a', { a: { b: 2 } }],
  ])('%s', (_, bad, path, left) => {
    const result = data({ ...bad, Price: 39.8 });

    expect(recordOf(result)).toEqual(eventRecord(1, { eventData: { ...left, Price: 39.8 } }));
    expect(repairsOf(result)).toMatchObject([{ path, done: 'left_out' }]);
  });

  test('nesting beyond 16 levels', () => {
    const result = data({ a: deep(16), b: 1 });

    expect(recordOf(result)).toMatchObject({ eventData: { b: 1 } });
    expect(repairsOf(result)).toEqual([
      {
        path: `eventData.a${'.0'.repeat(15)}`,
        rule: 'must nest at most 16 levels, without a cycle',
        done: 'left_out',
      },
    ]);
  });

  test('the 26th of a type, and arrays and objects over their bytes', () => {
    const flags = Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`flag ${n}`, true]));
    const big = Array(10).fill('v'.repeat(900));

    const result = profile({ attributes: { ...flags, one: big, two: big, three: [1] } });

    expect(repairsOf(result)).toMatchObject([
      { path: 'attributes.flag 25', done: 'left_out' },
      { path: 'attributes.two', done: 'left_out' },
    ]);
    expect(recordOf(result)).toMatchObject({ attributes: { 'flag 24': true, one: big, three: [1] } });
  });

  test.each([[[]], ['text'], [null], [7]])('attributes that are %j', (attributes) => {
    const result = profile({ attributes });

    expect(recordOf(result)).toEqual({ kind: 'user', id: idOf(1), userId: 'ada' });
    expect(repairsOf(result)).toEqual([{ path: 'attributes', rule: 'must be an object', done: 'left_out' }]);
  });
});

test('a bad profile field never costs the sign-in', () => {
  const bad = { phone: '98765', gender: 'Female', emailOptIn: 'yes', birthDate: 'May', company: null };

  const result = profile({ ...bad, email: 'ada@example.com' });

  expect(recordOf(result)).toEqual({ kind: 'user', id: idOf(1), userId: 'ada', email: 'ada@example.com' });
  expect(repairsOf(result)?.map(({ path }) => path)).toEqual(Object.keys(bad));
});

test('an invalid time, age or anonymous id is left out beside valid ones', () => {
  const { eventTime: _, ...event } = eventRecord(1);

  const result = read({ ...event, eventTime: 'yesterday', age: -1, anonymousId: '' });

  expect(recordOf(result)).toEqual(event);
  expect(repairsOf(result)?.map(({ path }) => path)).toEqual(['eventTime', 'age', 'anonymousId']);
});

describe('a fault that can’t be repaired refuses one record', () => {
  test.each([
    ['no record', null, ''],
    ['no kind', { ...eventRecord(1), kind: 'page' }, 'kind'],
    ['no id', { ...eventRecord(1), id: 'x' }, 'id'],
    ['no visitor', { ...eventRecord(1), userId: undefined }, 'userId'],
    ['a user id of 101 characters', { ...eventRecord(1), userId: 'u'.repeat(101) }, 'userId'],
    ['a bad user id beside an anonymous one', { ...eventRecord(1), userId: 7, anonymousId: 'a' }, 'userId'],
    ['a bad anonymous id alone', { ...eventRecord(1), userId: undefined, anonymousId: 7 }, 'anonymousId'],
    ['a long event name', { ...eventRecord(1), eventName: 'e'.repeat(50) }, 'eventName'],
    ['a system event', { ...eventRecord(1), eventName: 'user_logged_in' }, 'eventName'],
  ])('%s', (_, input, path) => {
    expect(read(input)).toMatchObject({ ok: false, issues: [{ path }] });
  });
});

test('a server’s record is refused where a page’s would be repaired', () => {
  const result = read({ ...userRecord(1), phone: '98765', attributes: { we_x: 1 } }, false);

  expect(result).toMatchObject({ ok: false, issues: [{ path: 'phone' }, { path: 'attributes.we_x' }] });
});

describe('for any JSON', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'Z', '_', '\ud800', '\udc00', '😀'), maxLength: 12 }),
    fc.constantFrom('', 'we_x', 'x'.repeat(49), 'x'.repeat(50), 'x'.repeat(1_000), `${'x'.repeat(998)}😀`),
    fc.constantFrom('2018-09-15T18:29:00-0800', '1990-05-17', '+551155256325', 'male', '__proto__'),
  );
  const leaf = fc.oneof(text, fc.double(), fc.nat(1_000), fc.boolean(), fc.constant(null));
  const value = fc.oneof(
    { weight: 4, arbitrary: leaf },
    { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
    fc.array(leaf, { maxLength: 6 }),
    fc.dictionary(text, leaf, { maxKeys: 6 }),
    fc.nat(20).map((levels): unknown => JSON.parse('['.repeat(levels + 1) + ']'.repeat(levels + 1))),
  );
  const attributes = fc.oneof(value, fc.dictionary(text, value, { maxKeys: 40 }));
  const fieldName = fc.oneof(
    text,
    fc.constantFrom('age', 'eventTime', 'phone', 'gender', 'birthDate', 'email', 'company', 'emailOptIn'),
  );
  const essentials = fc.constantFrom(
    { kind: 'event', id: idOf(1), userId: 'ada', eventName: 'Viewed' },
    { kind: 'event', id: idOf(1), anonymousId: 'a1', eventName: 'Viewed' },
    { kind: 'user', id: idOf(1), userId: 'ada' },
    { kind: 'user', id: idOf(1), anonymousId: 'a1' },
  );
  // As it comes over the wire: `JSON.parse` gives a `__proto__` of its own, and no number beyond all but as `1e400` has it.
  const anyRecord = fc
    .record({
      fields: fc.dictionary(fieldName, value, { maxKeys: 6 }),
      attributes: fc.option(attributes, { nil: undefined }),
      eventData: fc.option(attributes, { nil: undefined }),
      essentials,
    })
    .map(({ fields, essentials: needed, ...custom }): Readonly<Record<string, unknown>> => {
      const { kind: _k, id: _i, userId: _u, anonymousId: _a, eventName: _e, ...free } = fields;
      return JSON.parse(JSON.stringify({ ...free, ...custom, ...needed }));
    });

  test('with id, kind, visitor and event name, repair yields a valid record and reports every difference', () => {
    fc.assert(
      fc.property(anyRecord, (input) => {
        const result = read(input);

        expect(result.ok).toBe(true);
        const record = recordOf(result) ?? {};
        expect(checkRecord(record).ok).toBe(true);
        expect(read(record)).toEqual({ ok: true, record, repairs: [] });
        const repaired = repairsOf(result)?.map(({ path }) => path) ?? [];
        for (const path of differences(input, record))
          expect(
            repaired.some((each) => covers(each, path)),
            `${path} of ${repaired}`,
          ).toBe(true);
        if (repaired.length === 0) expect(differences(input, record)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('nothing throws, lenient or not', () => {
    fc.assert(
      fc.property(
        fc.oneof(value, anyRecord, fc.dictionary(fieldName, value)),
        fc.boolean(),
        (input, lenient) => {
          const result = read(input, lenient);

          if (result.ok) expect(checkRecord(result.record).ok).toBe(true);
          else expect(result.issues.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

const isTree = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The paths at which the second differs from the first; a birthday that is only written out does not. */
function differences(before: unknown, after: unknown, path: readonly string[] = []): string[] {
  if (Object.is(before, after)) return [];
  if (path.join() === 'birthDate' && typeof before === 'string' && `${before}T12:00:00+0000` === after)
    return [];
  if (!isTree(before) || !isTree(after)) return [path.join('.')];
  // In a list what comes after what is left out moves up: the list as a whole differs.
  if (Array.isArray(before) && JSON.stringify(before) !== JSON.stringify(after)) return [path.join('.')];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) =>
    differences(own(before, name), own(after, name), [...path, name.slice(0, 100)]),
  );
}

const own = (of: object, name: string): unknown => Object.getOwnPropertyDescriptor(of, name)?.value;

/** Whether what is told of one path is of another: a part of it, or, where the name itself is wrong, what holds it. */
function covers(repaired: string, differs: string): boolean {
  const cut = differs.slice(0, 100);
  return (
    repaired === cut ||
    repaired.startsWith(`${cut}.`) ||
    cut.startsWith(`${repaired}.`) ||
    cut === `${repaired}.`
  );
}
