import { createHash } from 'node:crypto';
import type { RecordKind } from '../../contract/record.ts';
import { fileBlocks } from './blocks.ts';
import { type CheckRow, rowChecker } from './check-row.ts';
import type { ColumnChoices } from './columns/column-map.ts';
import {
  isDateColumn,
  type TypedColumn,
  type TypeOptions,
  toImportColumn,
  typeColumn,
} from './columns/column-types.ts';
import { type Column, checkColumns, checkHeader, mapColumn } from './columns/map-columns.ts';
import { KINDS, targetName } from './columns/target.ts';
import { csvTable } from './csv-table.ts';
import { type Format, findFormat, type GivenFormat } from './format.ts';
import type { InputFile } from './input-file.ts';
import { jsonTable } from './json-table.ts';
import { ImportError, type ImportRow, type ImportSource } from './source.ts';
import type { Table } from './table.ts';
import { textOf } from './text.ts';
import { nothingSeen, type Seen, see } from './values/infer-type.ts';
import { timeZone } from './values/time-zone.ts';

export type ImportOptions = TypeOptions &
  GivenFormat & {
    readonly choices: ColumnChoices;
    /** Repairs what can be repaired, as the relay does for trackers. */
    readonly repair: boolean;
    /** Older events are refused. Undefined takes events of any age. */
    readonly maxEventAgeMs: number | undefined;
    /** In milliseconds since 1970. */
    readonly now: number;
  };

/**
 * Reads a file once, to map its columns and decide their types. Throws an ImportError if the file or its columns
 * can't be used. A row that can't be used is a row of the source all the same.
 */
export async function openImport(file: InputFile, options: ImportOptions): Promise<ImportSource> {
  const zone = timeZone(options.timeZone);
  if (zone === undefined)
    throw new ImportError(
      `--time-zone must be a name such as Europe/Berlin, not ${JSON.stringify(options.timeZone)}`,
    );
  const blocks = fileBlocks(file);
  const text = () => textOf(blocks.read(), file.name);
  const format = await findFormat(text(), options, file.name);
  const open = () => openTable(text(), format, file.name, options.kind);

  const { columns, seen, rows } = await survey(await open(), format, file.name, options);
  const { kind, maxEventAgeMs } = options;
  const check = rowChecker(columns, zone, {
    ...options,
    oldestEventAt: maxEventAgeMs === undefined ? undefined : options.now - maxEventAgeMs,
    maxEventAge: ageInWords(maxEventAgeMs ?? 0),
  });
  // A row that needed no repair is the same with repairs.
  const recheck = rowChecker(columns, zone, {
    kind,
    repair: true,
    oldestEventAt: undefined,
    maxEventAge: '',
  });

  async function* groups(
    wants: (number: number) => boolean,
    checked: CheckRow,
  ): AsyncGenerator<readonly ImportRow[]> {
    let number = 0;
    const table = await open();
    for await (const group of table.rows) {
      const rows: ImportRow[] = [];
      for (const raw of group) {
        number += 1;
        if (wants(number)) rows.push(checked(raw, number));
      }
      yield rows;
    }
  }

  return {
    digest: digestOf(blocks.digest(), format, columns, options),
    rows,
    columns: columns.map((column, index) =>
      toImportColumn(column, options.kind, seen[index] ?? nothingSeen(true)),
    ),
    read: (wants = () => true) => oneByOne(groups(wants, check)),
    readAgain: (wants) => oneByOne(groups(wants, recheck)),
  };
}

const HOUR_MS = 60 * 60 * 1000;

function ageInWords(ms: number): string {
  const hours = Math.round(ms / HOUR_MS);
  return hours % 24 === 0 ? `${hours / 24} days` : `${hours} hours`;
}

async function openTable(
  text: AsyncIterable<Buffer>,
  format: Format,
  name: string,
  kind: RecordKind,
): Promise<Table> {
  if (format.format === 'csv') return csvTable(text, { delimiter: format.delimiter, name });
  return jsonTable(text, { format: format.format, nested: KINDS[kind].custom, name });
}

type Survey = {
  readonly columns: readonly TypedColumn[];
  readonly seen: readonly Seen[];
  readonly rows: number;
};

/** The first pass: what the columns are, and what their values look like. */
async function survey(
  table: Table,
  { format }: Format,
  file: string,
  options: ImportOptions,
): Promise<Survey> {
  const isCsv = format === 'csv';
  const columns: Column[] = [];
  const seen: Seen[] = [];
  const areDates: boolean[] = [];
  // A file of JSON may have a new column in each row.
  function addColumns(): void {
    for (const name of table.names.slice(columns.length)) {
      const column = mapColumn(name, options.choices, options.kind);
      columns.push(column);
      seen.push(nothingSeen(isCsv));
      areDates.push(isDateColumn(column, options));
    }
  }
  if (isCsv) {
    // Before gigabytes are read.
    checkHeader(table.names, file);
    addColumns();
    checkColumns(columns, options.choices, options.kind);
  }

  let rows = 0;
  for await (const group of table.rows) {
    if (table.names.length > columns.length) addColumns();
    for (const raw of group) {
      rows += 1;
      if ('values' in raw) seeRow(raw.values, rows);
    }
  }
  function seeRow(values: readonly unknown[], row: number): void {
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      const column = seen[index];
      if (value === undefined || value === '' || value === null || column === undefined) continue;
      see(column, value, row, areDates[index] ?? false);
    }
  }

  if (!isCsv && rows > 0) checkColumns(columns, options.choices, options.kind);
  const typed = columns.map((column, index) =>
    typeColumn(column, seen[index] ?? nothingSeen(isCsv), options),
  );
  return { columns: typed, seen, rows };
}

/**
 * Names everything that decides what becomes of a row, and nothing else: a run with other columns is another
 * import, and a run that takes older events too continues the first.
 */
function digestOf(
  file: string,
  format: Format,
  columns: readonly TypedColumn[],
  { kind, timeZone: zone }: ImportOptions,
): string {
  const decided = columns.map(({ name, target, valueType, ofEvents, format: dates }) =>
    target === undefined ? [name] : [name, targetName(target, kind), valueType, [...ofEvents], dates],
  );
  const text = JSON.stringify(['webengage-relay/import', file, format, kind, zone, decided]);
  return createHash('sha256').update(text).digest('hex');
}

/** The values of groups. An async generator would do the same, but needs several promises for each value. */
function oneByOne<Value extends object>(groups: AsyncGenerator<readonly Value[]>): AsyncIterable<Value> {
  let group: readonly Value[] = [];
  let at = 0;
  async function next(): Promise<IteratorResult<Value, undefined>> {
    for (;;) {
      const value = group[at];
      at += 1;
      if (value !== undefined) return { done: false, value };
      const step = await groups.next();
      if (step.done) return { done: true, value: undefined };
      group = step.value;
      at = 0;
    }
  }
  async function end(): Promise<IteratorResult<Value, undefined>> {
    await groups.return(undefined);
    return { done: true, value: undefined };
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}
