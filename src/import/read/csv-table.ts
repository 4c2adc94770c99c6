import { type CsvError, type InfoRecord, type Parser, parse } from 'csv-parse';
import { ImportError } from './source.ts';
import { MAX_ROW_BYTES, type RawRow, type Table } from './table.ts';

/** The delimiters that are looked for. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** Finds the delimiter in the first line. Undefined if two are as frequent. A line without any has one column. */
export function findDelimiter(text: string): Delimiter | undefined {
  // Quoted names may hold delimiters and line breaks.
  const header = /^\s*([^\r\n]*)/.exec(text.replace(/"[^"]*"/g, ''))?.[1] ?? '';
  const counts = DELIMITERS.map((delimiter) => [header.split(delimiter).length - 1, delimiter] as const);
  const [best, next] = counts.sort((a, b) => b[0] - a[0]);
  if (best === undefined || best[0] === 0) return ',';
  return best[0] === next?.[0] ? undefined : best[1];
}

type CsvOptions = { readonly delimiter: Delimiter; readonly name: string };

type Line = { readonly line: number; readonly cells: readonly string[] };

/** Reads a CSV with a header, as RFC 4180 has it, with any kind of line break. Skips rows without a value. */
export async function csvTable(text: AsyncIterable<Buffer>, options: CsvOptions): Promise<Table> {
  const groups = csvLines(text, options);
  const start = await groups.next();
  if (start.done)
    throw new ImportError(`${options.name} is empty: the first line of a CSV names its columns`);
  const [header, ...first] = start.value;
  const names = (header?.cells ?? []).map((cell) => cell.trim());

  async function* rows(): AsyncGenerator<readonly RawRow[]> {
    yield first.map((line) => toRow(line, names.length));
    for await (const group of groups) yield group.map((line) => toRow(line, names.length));
  }
  return { names, rows: rows() };
}

function toRow({ line, cells }: Line, columns: number): RawRow {
  if (cells.length === columns) return { line, values: cells };
  const message = `must have as many cells as the header has names: is a quote or a delimiter missing?`;
  return { line, issue: { path: '', message }, text: cells };
}

const LINE_BREAK = /\r\n|\n|\r/g;

async function* csvLines(text: AsyncIterable<Buffer>, options: CsvOptions): AsyncGenerator<readonly Line[]> {
  let group: Line[] = [];
  // The line where the next row begins, without empty lines. csv-parse's own count takes a CRLF in quotes for two.
  let next = 1;
  let seenLines = 0;
  let rows = 0;

  function take(cells: readonly string[], { lines, empty_lines: emptyLines }: InfoRecord): void {
    // Spreadsheets write rows of delimiters below a table.
    if (cells.some((cell) => cell.trim() !== '')) {
      group.push({ line: next + emptyLines, cells });
      rows += 1;
    }
    next += 1;
    // Only then can a cell hold a line break.
    if (lines > seenLines + 1) for (const cell of cells) next += cell.match(LINE_BREAK)?.length ?? 0;
    seenLines = lines;
  }

  const parser = parse({
    delimiter: options.delimiter,
    max_record_size: MAX_ROW_BYTES,
    relax_column_count: true,
    skip_empty_lines: true,
    // Nothing goes through the stream's own queue, which costs as much as the parsing.
    on_record: (cells, info) => void take(cells, info),
  });
  // The error of a write reaches its callback. The event alone would end the process.
  parser.on('error', () => undefined);
  try {
    for await (const chunk of text) {
      await done(parser, (callback) => parser.write(chunk, callback));
      if (group.length > 0) yield group;
      group = [];
    }
    await done(parser, (callback) => parser.end(callback));
  } catch (error) {
    throw error instanceof ImportError
      ? error
      : brokenCsv(error as CsvError, { ...options, line: next + parser.info.empty_lines, rows });
  } finally {
    parser.destroy();
  }
  if (group.length > 0) yield group;
}

/** Resolves once the parser has parsed what was written, and rejects with its error. */
function done(parser: Parser, write: (callback: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.once('error', reject);
    write((error) => {
      if (error) return reject(error);
      parser.off('error', reject);
      resolve();
    });
  });
}

type Place = { readonly name: string; readonly line: number; readonly rows: number };

/** csv-parse's own message may hold a cell. */
function brokenCsv({ code }: CsvError, { name, line, rows }: Place): ImportError {
  const place = `${name}, line ${line}${rows > 0 ? ` (row ${rows})` : ' (the header)'}`;
  return new ImportError(`${place}: ${BROKEN[code] ?? `it is not CSV (${code})`}`);
}

const BROKEN: { readonly [code: string]: string } = {
  CSV_QUOTE_NOT_CLOSED:
    'a cell begins with a quote that is never closed: close it, or double it inside quotes',
  CSV_INVALID_CLOSING_QUOTE: 'text follows a closing quote: double each quote inside a quoted cell',
  INVALID_OPENING_QUOTE: 'a quote stands inside a cell without quotes: put the cell in quotes, and double it',
  CSV_MAX_RECORD_SIZE: `the row has more than ${MAX_ROW_BYTES} bytes: is a closing quote missing?`,
};
