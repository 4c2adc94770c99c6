import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvTable, DELIMITERS, type Delimiter, findDelimiter } from '../../../src/import/read/csv-table.ts';
import { all, chunked } from '../../fakes/import/memory-file.ts';

async function read(text: string, delimiter: Delimiter = ',', size = 11) {
  const table = await csvTable(chunked(text, size), { delimiter, name: 'people.csv' });
  return { names: table.names, rows: (await all(table.rows)).flat() };
}

/** Writes a table as CSV, with quotes where a cell needs them, or everywhere. */
function written(
  rows: readonly (readonly string[])[],
  delimiter: string,
  lineBreak: string,
  always: boolean,
): string {
  const cell = (text: string) =>
    always || /["\r\n]/.test(text) || text.includes(delimiter) || text.startsWith('\uFEFF') || text === ''
      ? `"${text.replaceAll('"', '""')}"`
      : text;
  return rows.map((row) => row.map(cell).join(delimiter) + lineBreak).join('');
}

const cell = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', '\n', '\r', ',', ';', '\t', '|', ' ', 'é', 'x') }),
);
const tables = fc
  .integer({ min: 1, max: 5 })
  .chain((columns) => fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 6 }));

test('any table comes back as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(
      tables,
      fc.constantFrom(...DELIMITERS),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 4, max: 40 }),
      async (rows, delimiter, lineBreak, always, size) => {
        const header = (rows[0] ?? ['']).map((_, index) => `column ${index}`);
        const text = written([header, ...rows], delimiter, lineBreak, always);
        const table = await csvTable(wholeCharacters(text, size), { delimiter, name: 'people.csv' });

        const read = (await all(table.rows)).flat();
        const lines = linesOf([header, ...rows]);
        const filled = rows
          .map((values, index) => ({ line: lines[index], values }))
          .filter(({ values }) => values.some((value) => value.trim() !== ''));
        expect(table.names).toEqual(header);
        expect(read).toEqual(filled);
      },
    ),
    { numRuns: 300 },
  );
});

async function* wholeCharacters(text: string, size: number): AsyncGenerator<Buffer> {
  const characters = [...text];
  for (let at = 0; at < characters.length; at += size)
    yield Buffer.from(characters.slice(at, at + size).join(''));
}

/** The line on which each row but the first begins. */
function linesOf(rows: readonly (readonly string[])[]): number[] {
  let line = 1;
  return rows
    .map((row) => {
      const start = line;
      for (const cell of row) line += cell.split(/\r\n|\n|\r/).length - 1;
      line += 1;
      return start;
    })
    .slice(1);
}

test('lines are counted through empty lines and line breaks in cells', async () => {
  const { rows } = await read('id,name\r\n\r\n1,"a\r\nb"\r\n\r\n\r\n2,"c\nd\ne"\r\n3,f');

  expect(rows.map(({ line }) => line)).toEqual([3, 7, 10]);
});

test('rows without a value are skipped, and lines count them', async () => {
  const { names, rows } = await read(';;\nid;name;plan\n1;a;\n;;\n ; ;\n"";"";""\n2;b;\n;;\n;;\n', ';');

  expect(names).toEqual(['id', 'name', 'plan']);
  expect(rows).toEqual([
    { line: 3, values: ['1', 'a', ''] },
    { line: 7, values: ['2', 'b', ''] },
  ]);
});

test('a header without rows has none', async () => {
  expect(await read('id,name\n')).toEqual({ names: ['id', 'name'], rows: [] });
  expect(await read('id,name')).toEqual({ names: ['id', 'name'], rows: [] });
});

test('spaces around a name are left out, and those around a cell are kept', async () => {
  const { names, rows } = await read('id , name\n1, a \n');

  expect(names).toEqual(['id', 'name']);
  expect(rows).toEqual([{ line: 2, values: ['1', ' a '] }]);
});

test('a row with too few or too many cells is a row that can’t be used, and others are not affected', async () => {
  const { rows } = await read('id,name\n1\n2,b\n3,c,d\n');

  const message = 'must have as many cells as the header has names: is a quote or a delimiter missing?';
  expect(rows).toEqual([
    { line: 2, issue: { path: '', message }, text: ['1'] },
    { line: 3, values: ['2', 'b'] },
    { line: 4, issue: { path: '', message }, text: ['3', 'c', 'd'] },
  ]);
});

test('a cell of two megabytes is read', async () => {
  const long = 'x'.repeat(2_000_000);

  const { rows } = await read(`id,name\n1,${long}\n2,"${long}"\n3,c\n`, ',', 65_536);

  expect(rows.map((row) => 'values' in row && row.values[1])).toEqual([long, long, 'c']);
});

describe('a broken quote ends the reading, and names the row, never a cell', () => {
  test.each([
    ['id,name\n1,"a\n2,b\n', 'people.csv, line 2 (row 1): a cell begins with a quote that is never closed'],
    [
      'id,name\n1,a\n\n2,"b" c\n',
      'people.csv, line 4 (row 2): text follows a closing quote: double each quote',
    ],
    ['id,name\n1,a "secret" b\n', 'people.csv, line 2 (row 1): a quote stands inside a cell without quotes'],
    ['id,"name\n1,a\n', 'people.csv, line 1 (the header): a cell begins with a quote that is never closed'],
  ])('%j', async (text, message) => {
    const error = await read(text).catch((thrown: Error) => thrown);

    expect(error).toMatchObject({ name: 'ImportError', message: expect.stringContaining(message) });
    expect(String(error)).not.toContain('secret');
  });

  test('before it has read the whole rest into memory', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('id,name\n1,"');
      for (; given < 100; given++) yield Buffer.alloc(1_000_000, 'x\n');
    }
    const { rows } = await csvTable(endless(), { delimiter: ',', name: 'people.csv' }).catch((error) => {
      throw error;
    });

    await expect(all(rows)).rejects.toThrow('line 2 (row 1): the row has more than 16777216 bytes');
    expect(given).toBeLessThan(20);
  });
});

describe('the delimiter is found in the header', () => {
  test.each([
    ['id,name,plan\n1;2;3;4;5', ','],
    ['id;name;plan, monthly\n', ';'],
    ['id\tname', '\t'],
    ['id|name', '|'],
    ['id', ','],
    ['"a,b,c,d";id;name', ';'],
    ['"a\n,b,c,d";id;name', ';'],
    ['\r\n\r\nid;name\r\n', ';'],
  ])('%j: %j', (text, delimiter) => {
    expect(findDelimiter(text)).toBe(delimiter);
  });

  test('not if two are as frequent', () => {
    expect(findDelimiter('id;name,plan\n')).toBeUndefined();
  });
});
