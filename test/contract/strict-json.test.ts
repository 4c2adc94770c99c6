import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { faultInJson, faultsInBatch, isSurelyStrict } from '../../src/contract/strict-json.ts';
import { changedBatch } from '../attacks/at-random.ts';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('two fields of one name are found, however the name is written', () => {
  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"a":1,"\\u0061":2}',
    '{"\\u0061":1,"a":2}',
    '{"\\/":1,"/":2}',
    '{"\\"":1,"\\u0022":2}',
    '{"\\\\":1,"\\u005c":2}',
    '{"\\ud83d\\ude00":1,"😀":2}',
    '{"":1,"":2}',
    '{"a" :1,\n"a"\t:\r2}',
    '{"a":{},"a":[]}',
    '{"x":{"a":1,"a":2}}',
    '[{"a":1},{"b":[{"c":1,"c":2}]}]',
    '{"a":"{","a":2}',
    '{"a":"\\\\","a":2}',
    '{"constructor":1,"constructor":2}',
  ])('%s', (text) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(faultInJson(text)).toMatchObject({ message: 'must be given only once' });
  });
});

describe('good JSON has no fault', () => {
  test.each([
    '',
    'null',
    '"a:a:a"',
    '{"a":"a","b":"a"}',
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
    '{"a":"\\"a\\":1,\\"a\\":2"}',
    '{"a":"\\\\\\"","b":"\\\\"}',
    '["a","a",{"a":["a","a"]}]',
    '{"a":1,"A":2,"a ":3}',
    '{"constructor":1,"prototype":2,"toString":3,"hasOwnProperty":4}',
    '{"a":[":",":",":"],"b":"{[{["}',
    nested(32),
  ])('%s', (text) => {
    expect(faultInJson(text)).toBeUndefined();
  });
});

test.each(['{"__proto__":1}', '{"a":[{"\\u005f_proto__":{}}]}', '{"__proto\\u005f\\u005f":null}'])(
  'a field that would set a prototype is found: %s',
  (text) => {
    expect(faultInJson(text)).toMatchObject({ path: expect.stringContaining('__proto__') });
  },
);

test('nesting of more than 32 levels is a fault, of objects and arrays together', () => {
  const tooDeep = { path: '', message: 'must nest at most 32 levels' };

  expect(faultInJson(nested(33))).toEqual(tooDeep);
  expect(faultInJson('{"a":['.repeat(17))).toEqual(tooDeep);
  expect(faultInJson(`[${Array(100).fill(nested(31)).join()}]`)).toBeUndefined();
});

describe('in a batch', () => {
  const array = (element: string, count: number) => `[${Array(count).fill(element).join()}]`;
  const batch = (...records: readonly string[]) => `{"v":1,"records":[${records.join()}],"device":"d"}`;
  const faultsOf = (text: string) => {
    const { ofBatch, ofRecords } = faultsInBatch(text);
    return { ofBatch, ofRecords: Object.fromEntries(ofRecords) };
  };
  const costs = (index: number, path: string, message: string) => ({
    ofBatch: undefined,
    ofRecords: { [index]: { path, message } },
  });

  test.each([
    ['a field twice', '{"a":1,"a":2}', 'a', 'must be given only once'],
    [
      'a nested field twice',
      '{"eventData":{"a":[0,{"b":1,"b":2}]}}',
      'eventData.a.1.b',
      'must be given only once',
    ],
    ['a field twice, once escaped', '{"userId":1,"user\\u0049d":2}', 'userId', 'must be given only once'],
    ['a prototype', '{"eventData":{"__proto__":{}}}', 'eventData.__proto__', 'must not be a field'],
    ['31 levels', nested(31), '', 'must nest at most 30 levels'],
    ['60,000 levels', nested(30_000), '', 'must nest at most 30 levels'],
    ['2,501 values', `{"a":${array('1', 2_500)}}`, '', 'must hold at most 2500 values'],
    ['60,000 values', array('1', 60_000), '', 'must hold at most 2500 values'],
  ])('%s costs only the record that contains it', (_, bad, path, message) => {
    const good = '{"a":{"b":1},"c":[1,2]}';

    expect(faultsOf(batch(good, bad, good))).toEqual(costs(1, path, message));
    expect(faultsOf(batch(bad))).toEqual(costs(0, path, message));
  });

  test('each record has its own fault', () => {
    const { ofBatch, ofRecords } = faultsOf(
      batch('{"a":1,"a":1}', '1', '{"__proto__":1}', nested(40), '{"a":1}'),
    );

    expect(ofBatch).toBeUndefined();
    expect(Object.keys(ofRecords)).toEqual(['0', '2', '3']);
  });

  test('each record may hold 2,500 values, and nest 30 levels, beside others that do', () => {
    const full = `{"a":${array('1', 2_499)}}`;

    expect(faultsOf(batch(...Array(20).fill(full)))).toEqual({ ofBatch: undefined, ofRecords: {} });
    expect(faultsOf(batch(...Array(400).fill(nested(30))))).toEqual({ ofBatch: undefined, ofRecords: {} });
    expect(faultsOf(batch(...Array(30_000).fill('1')))).toEqual({ ofBatch: undefined, ofRecords: {} });
  });

  test('only the first fault of a record is reported', () => {
    expect(faultsOf(batch('{"a":1,"a":1,"__proto__":1,"b":1,"b":1}'))).toEqual(
      costs(0, 'a', 'must be given only once'),
    );
  });

  test.each([
    ['a field of the envelope twice', '{"v":1,"v":1,"records":[{"a":1,"a":1}]}', 'v'],
    ['the records twice', '{"records":[{"a":1}],"records":[{"a":1}]}', 'records'],
    ['the records twice, once escaped', '{"records":[{"a":1}],"\\u0072ecords":[]}', 'records'],
    ['a prototype', '{"records":[{"a":1}],"__proto__":{}}', '__proto__'],
    ['in a field that is not the records', '{"x":{"records":[{"a":1,"a":1}]}}', 'x.records.0.a'],
    ['in a field after the records', '{"records":[{"a":1}],"x":[{"a":1,"a":1}]}', 'x.0.a'],
    ['in records that are not a list', '{"records":{"0":{"a":1,"a":1}}}', 'records.0.a'],
    ['in a list of batches', '[{"records":[{"a":1,"a":1}]}]', '0.records.0.a'],
    ['the envelope’s nesting', `{"x":${nested(40)}}`, ''],
    ['the envelope’s values', `{"x":${array('1', 3_000)},"records":[]}`, ''],
  ])('a fault of the envelope costs the batch: %s', (_, text, path) => {
    expect(faultsInBatch(text).ofBatch).toMatchObject({ path });
  });
});

test('text that is not JSON ends without an exception', () => {
  for (const text of [
    '"',
    '"\\',
    '{"a',
    '{"\\u00":1}',
    ':',
    ':::',
    ']]]',
    '{"a":1}}}:',
    '"\\"'.repeat(1_000),
  ])
    expect(() => faultsInBatch(text)).not.toThrow();
});

// What is dear to read again and again would be so for every string of a body, and for every backslash of a string.
test.each([
  ['backslashes', `"${'\\'.repeat(131_000)}"`],
  ['quotes', '"'.repeat(131_000)],
  ['escaped quotes', `"${'\\"'.repeat(65_000)}"`],
  ['an unclosed quote after many closed ones', '\\"'.repeat(65_000)],
])('%s are scanned once', (_, text) => {
  let read = 0;
  const counting = {
    length: text.length,
    charCodeAt: (at: number) => {
      read += 1;
      return text.charCodeAt(at);
    },
    indexOf: (what: string, from: number) => {
      const found = text.indexOf(what, from);
      read += (found < 0 ? text.length : found) - from;
      return found;
    },
    slice: () => '""',
  } as unknown as string;

  faultsInBatch(counting);

  expect(read).toBeLessThan(4 * text.length);
});

test.each([
  ['colons', ':'.repeat(65_000)],
  ['colons, each in an array of its own', '[:]'.repeat(9_000)],
])('a long name before thousands of %s is read once', (_, colons) => {
  const parse = vi.spyOn(JSON, 'parse');

  faultsInBatch(`"\\u0061${'a'.repeat(60_000)}"${colons}`);

  expect(parse.mock.calls.length).toBeLessThanOrEqual(1);
  parse.mockRestore();
});

describe('text that is surely strict', () => {
  const isStrict = (text: string) => isSurelyStrict(text, JSON.parse(text));
  const NO_FAULTS = { ofBatch: undefined, ofRecords: new Map() };
  const batchOf = (...records: unknown[]) => JSON.stringify({ v: 1, records });

  test('is what a tracker sends', () => {
    expect(isStrict(batchOf({ id: 'a', eventData: { a: 1, b: [{ a: 1 }] } }, { id: 'b' }))).toBe(true);
  });

  test('has no fault', () => {
    let strict = 0;
    const anyBatch = fc.oneof(
      changedBatch.map(({ body }) => String(body)),
      // A field once more, with a name that may be there already.
      fc
        .tuple(changedBatch, fc.nat(), fc.constantFrom('v', 'id', 'records', 'Price', '__proto__', 'x'))
        .map(([{ body }, at, name]) => {
          const opens = [...String(body).matchAll(/{(?=")/g)].map(({ index }) => index + 1);
          const place = opens[at % opens.length] ?? 1;
          return `${String(body).slice(0, place)}"${name}":1,${String(body).slice(place)}`;
        }),
      // Each about as deep, or as large, as it may be.
      fc.integer({ min: 28, max: 32 }).map((levels) => batchOf(JSON.parse(nested(levels)))),
      fc.integer({ min: 2_490, max: 2_510 }).map((values) => batchOf(Array(values).fill(1))),
      fc.integer({ min: 2_490, max: 2_510 }).map((values) => `{"a":[${Array(values).fill(1)}],"records":[]}`),
    );

    fc.assert(
      fc.property(anyBatch, (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        if (!isJson || !isStrict(text)) return;
        expect(faultsInBatch(text)).toEqual(NO_FAULTS);
        strict += 1;
      }),
      { numRuns: 3_000 },
    );

    expect(strict).toBeGreaterThan(500);
  });

  test.each([
    ['a name given twice', '{"records":[{"a":1,"a":1}]}'],
    ['a name given twice, once escaped', '{"records":[{"a":1,"\\u0061":1}]}'],
    ['a name given twice in the envelope', '{"v":1,"v":1,"records":[]}'],
    ['a name that would set a prototype', '{"records":[{"__proto__":1}]}'],
    ['31 levels in a record', batchOf(JSON.parse(nested(31)))],
    ['more than 2,500 values in a record', batchOf(Array(2_501).fill(1))],
    ['nesting that would overflow a stack', '['.repeat(50_000) + ']'.repeat(50_000)],
    ['no records', '{"v":1}'],
  ])('does not have %s', (_, text) => {
    expect(isStrict(text)).toBe(false);
  });
});
