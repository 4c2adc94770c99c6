import type { Issue } from '../../contract/issue.ts';
import { isPlainObject } from '../../contract/rules/attributes.ts';
import { faultInJson } from '../../contract/strict-json.ts';
import { arrayElements } from './json-array.ts';
import { jsonLines } from './json-lines.ts';
import { ImportError } from './source.ts';
import type { JsonText, RawRow, Table } from './table.ts';

/** The most columns in a file. A file with more has data in its names. */
const MAX_COLUMNS = 1_000;

type JsonOptions = {
  readonly format: 'json' | 'ndjson';
  /** The field of a row that holds custom attributes as an object. Each of them is a column of its own. */
  readonly nested: string;
  readonly name: string;
};

/** Reads an array of objects, or one object a line. */
export function jsonTable(text: AsyncIterable<Buffer>, { format, nested, name }: JsonOptions): Table {
  const columns = growingColumns(name);

  function toRow({ line, text }: JsonText): RawRow {
    const read = readObject(text);
    if ('issue' in read) return { line, ...read };
    const values: unknown[] = [];
    for (const [key, value] of Object.entries(read.object)) {
      if (value === null) continue;
      if (key !== nested) values[columns.indexOf(key)] = value;
      else if (!isPlainObject(value))
        return { line, issue: { path: nested, message: 'must be an object' }, text: read.object };
      else
        for (const [inner, innerValue] of Object.entries(value))
          values[columns.indexOf(`${nested}.${inner}`)] = innerValue;
    }
    return { line, values };
  }

  async function* rows(): AsyncGenerator<readonly RawRow[]> {
    const groups = format === 'json' ? arrayElements(text, name) : jsonLines(text, name);
    for await (const group of groups) yield group.map(toRow);
  }
  return { names: columns.names, rows: rows() };
}

function growingColumns(file: string) {
  const names: string[] = [];
  const indexes = new Map<string, number>();
  return {
    names,
    indexOf(name: string): number {
      const known = indexes.get(name);
      if (known !== undefined) return known;
      if (names.length === MAX_COLUMNS)
        throw new ImportError(
          `${file} has more than ${MAX_COLUMNS} columns: nest what is not a column, and give rows the same names`,
        );
      indexes.set(name, names.length);
      return names.push(name) - 1;
    },
  };
}

type ReadObject =
  | { readonly object: { readonly [name: string]: unknown } }
  | { readonly issue: Issue; readonly text: unknown };

function readObject(text: string): ReadObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The error of `JSON.parse` quotes the text.
    return { issue: { path: '', message: 'must be a JSON object: the text is not JSON' }, text };
  }
  // Of two fields with one name, `JSON.parse` keeps the last. And it takes any depth, which `JSON.stringify` does not.
  const fault = faultInJson(text);
  if (fault !== undefined) return { issue: fault, text };
  return isPlainObject(value)
    ? { object: value }
    : { issue: { path: '', message: 'must be a JSON object' }, text: value };
}
