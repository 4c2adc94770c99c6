import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonTable } from '../../../src/import/read/json-table.ts';
import { originalRow } from '../../../src/import/read/table.ts';
import { all, chunked } from '../../fakes/import/memory-file.ts';

async function read(text: string, format: 'json' | 'ndjson', size = 1_000) {
  const table = jsonTable(chunked(text, size), { format, nested: 'attributes', name: 'people.json' });
  const rows = (await all(table.rows)).flat();
  return { names: table.names, rows };
}

// `null` is an empty value, and the names of nested attributes are columns of their own.
const objects = fc.array(
  fc.dictionary(
    fc.string().filter((name) => !['__proto__', 'attributes'].includes(name)),
    fc
      .jsonValue({ noUnicodeString: false, maxDepth: 3 })
      .filter((value) => value !== null && !/__proto__/.test(JSON.stringify(value))),
    { noNullPrototype: true },
  ),
  { maxLength: 8 },
);

test.each([
  ['an array', 'json', (rows: unknown[], indent: number) => JSON.stringify(rows, null, indent)],
  [
    'one object a line',
    'ndjson',
    (rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\r\n`).join(''),
  ],
] as const)('any objects come back: %s', async (_, format, written) => {
  await fc.assert(
    fc.asyncProperty(objects, fc.constantFrom(0, 2), async (given, indent) => {
      const text = written(given, indent);
      // Text of ASCII alone, so that a chunk may end anywhere.
      const ascii = text.replace(
        /[^\x20-\x7e\n\r]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
      for (const size of [1, 5, 10_000]) {
        const { names, rows } = await read(ascii, format, size);
        const sorted = (value: object) => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
        expect(rows.map((row) => sorted(originalRow(row, names) as object))).toEqual(
          given.map((object) => sorted(JSON.parse(JSON.stringify(object)))),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('the attributes of a row are columns of their own', async () => {
  const { names, rows } = await read('{"userId":"1","attributes":{"Plan":"gold"},"City":"Ulm"}', 'ndjson');

  expect(names).toEqual(['userId', 'attributes.Plan', 'City']);
  expect(rows).toEqual([{ line: 1, values: ['1', 'gold', 'Ulm'] }]);
});

test('an empty array has no rows', async () => {
  expect((await read(' [ \n ] ', 'json')).rows).toEqual([]);
});

test('lines are counted in both forms', async () => {
  expect((await read('[\n\n{"a":\n1},{"a":2}\n,\n{"a":3}]', 'json')).rows.map(({ line }) => line)).toEqual([
    3, 4, 6,
  ]);
  expect((await read('{"a":1}\n\n{"a":2}\n{"a":3}', 'ndjson')).rows.map(({ line }) => line)).toEqual([
    1, 3, 4,
  ]);
});

describe('a row that is not an object costs only itself', () => {
  test.each([
    ['{"a":1}\n{"a":\n{"a":3}', 'ndjson', 'must be a JSON object: the text is not JSON'],
    ['{"a":1}\n[2]\n{"a":3}', 'ndjson', 'must be a JSON object'],
    ['[{"a":1},{"a":oops},{"a":3}]', 'json', 'must be a JSON object: the text is not JSON'],
    ['[{"a":1},2,{"a":3}]', 'json', 'must be a JSON object'],
    ['[{"a":1},{"a":[{]}},{"a":3}]', 'json', 'must be a JSON object: the text is not JSON'],
  ] as const)('%j', async (text, format, message) => {
    const { rows } = await read(text, format);

    expect(rows).toEqual([
      { line: 1, values: [1] },
      expect.objectContaining({ issue: { path: '', message } }),
      expect.objectContaining({ values: [3] }),
    ]);
  });

  test('two fields with one name, and a name that is no field', async () => {
    const { rows } = await read('{"a":1,"a":2}\n{"__proto__":1}\n{"attributes":3}', 'ndjson');

    expect(rows).toMatchObject([
      { issue: { path: 'a', message: 'must be given only once' } },
      { issue: { path: '__proto__', message: 'must not be a field' } },
      { issue: { path: 'attributes', message: 'must be an object' } },
    ]);
  });
});

describe('a broken array ends the reading, with its line', () => {
  test.each([
    ['{"users":[]}', 'line 1: must begin with [, as an array of objects'],
    ['', 'is empty: it must be an array of objects'],
    ['[\n{"a":1}', 'line 2: the file ends inside the array: is it cut off?'],
    ['[{"a":"1\n', 'the file ends inside the array'],
    ['[{"a":1},]', 'line 1: has a comma with no element beside it'],
    ['[,{"a":1}]', 'has a comma with no element beside it'],
    ['[{"a":1}}]', 'has a } without its {'],
    ['[{"a":1}]\n{"a":2}', 'line 2: has text after the end of the array'],
  ])('%j', async (text, message) => {
    await expect(read(text, 'json')).rejects.toThrow(message);
  });

  test('and so does a file with data in its names', async () => {
    const rows = Array.from({ length: 1_001 }, (_, index) => `{"order ${index}":1}`);

    await expect(read(rows.join('\n'), 'ndjson')).rejects.toThrow('people.json has more than 1000 columns');
  });

  test.each(['json', 'ndjson'] as const)('and so does a row without an end: %s', async (format) => {
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from(format === 'json' ? '[\n{"a":"' : '{"a":1}\n{"a":"');
      for (let count = 0; count < 30; count++) yield Buffer.alloc(1_000_000, 'x');
    }
    const { rows } = jsonTable(endless(), { format, nested: 'attributes', name: 'people.json' });

    await expect(all(rows)).rejects.toThrow('line 2: the row has more than 16777216 characters');
  });
});
