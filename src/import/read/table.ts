import type { Issue } from '../../contract/issue.ts';
import { ImportError } from './source.ts';

/** One row as the file has it. Values stand in the order of the table's columns; one may be missing. */
export type RawRow = {
  /** The line where the row begins, from 1. */
  readonly line: number;
} & (
  | { readonly values: readonly unknown[] }
  /** It can't be read as a row. `text` is what the file has in its place. */
  | { readonly issue: Issue; readonly text: unknown }
);

/** The rows of a file. They come in groups: an iteration for each of a million rows would take its time. */
export type Table = {
  /** The columns so far. A file of JSON may add one with each row. */
  readonly names: readonly string[];
  readonly rows: AsyncGenerator<readonly RawRow[]>;
};

/** The longest row that is read. A missing quote could otherwise make a row of the whole rest. */
export const MAX_ROW_BYTES = 16 * 1024 * 1024;

/** The text of one row of JSON. */
export type JsonText = { readonly line: number; readonly text: string };

export function tooLong(name: string, line: number): ImportError {
  return new ImportError(
    `${name}, line ${line}: the row has more than ${MAX_ROW_BYTES} characters: is a quote or bracket missing?`,
  );
}

/** The row as an object, for the file of rejected rows. */
export function originalRow(raw: RawRow, names: readonly string[]): unknown {
  if (!('values' in raw)) return raw.text;
  const cells = raw.values.flatMap((value, index) =>
    value === undefined ? [] : [[names[index] ?? '', value]],
  );
  return Object.fromEntries(cells);
}
