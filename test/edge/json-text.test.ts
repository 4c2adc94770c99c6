import { describe, expect, test, vi } from 'vitest';
import { faultInJson } from '../../src/edge/json-text.ts';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('two fields of one name are told, however it is written', () => {
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
    expect(faultInJson(text)).toBe('must not have two fields of one name');
  });
});

describe('nothing is told of good JSON', () => {
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
  'a field that would be a prototype is told: %s',
  (text) => {
    expect(faultInJson(text)).toContain('__proto__');
  },
);

test('nesting is told from 33 levels on, of objects and arrays together', () => {
  expect(faultInJson(nested(33))).toContain('32 levels');
  expect(faultInJson('{"a":['.repeat(17))).toContain('32 levels');
  expect(faultInJson(Array(100).fill(nested(32)).join())).toBeUndefined();
});

test('values are told from 10,001 on, whatever they are', () => {
  const array = (element: string, count: number) => `[${Array(count).fill(element).join()}]`;

  expect(faultInJson(array('1', 10_000))).toBeUndefined();
  expect(faultInJson(array('1', 10_001))).toContain('10000 values');
  expect(faultInJson(array('{"a":1}', 5_000))).toBeUndefined();
  expect(faultInJson(array('{"a":1}', 5_001))).toContain('10000 values');
});

test('text that is no JSON ends, and throws nothing', () => {
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
    expect(() => faultInJson(text)).not.toThrow();
});

// What is dear to read again and again would be so for every string of a body, and for every backslash of a string.
test.each([
  ['backslashes', `"${'\\'.repeat(131_000)}"`],
  ['quotes', '"'.repeat(131_000)],
  ['escaped quotes', `"${'\\"'.repeat(65_000)}"`],
  ['a quote that is never closed, after each of many', '\\"'.repeat(65_000)],
])('%s are gone through once', (_, text) => {
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

  faultInJson(counting);

  expect(read).toBeLessThan(4 * text.length);
});

test.each([
  ['colons', ':'.repeat(65_000)],
  ['colons, each in an array of its own', '[:]'.repeat(9_000)],
])('a long name before thousands of %s is read once', (_, colons) => {
  const parse = vi.spyOn(JSON, 'parse');

  faultInJson(`"\\u0061${'a'.repeat(60_000)}"${colons}`);

  expect(parse.mock.calls.length).toBeLessThanOrEqual(1);
  parse.mockRestore();
});
