import { DELIMITERS, type Delimiter, findDelimiter } from './csv-table.ts';
import { ImportError } from './source.ts';

export type Format =
  | { readonly format: 'csv'; readonly delimiter: Delimiter }
  | { readonly format: 'json' | 'ndjson' };

/** The formats that `--format` names. */
export const FORMATS = ['csv', 'json', 'ndjson'] as const;

/** What the user has said about the format. */
export type GivenFormat = {
  readonly format?: (typeof FORMATS)[number] | undefined;
  readonly delimiter?: Delimiter | undefined;
};

/** The part of a file that tells its format: the header of a CSV must end in it. */
const HEAD_BYTES = 256 * 1024;

/** Finds out the format by the first characters, and the delimiter by the first line. */
export async function findFormat(
  text: AsyncIterable<Buffer>,
  given: GivenFormat,
  name: string,
): Promise<Format> {
  const head = await headOf(text);
  const first = head.trimStart().charAt(0);
  const format = given.format ?? (given.delimiter === undefined ? BY_FIRST[first] : undefined) ?? 'csv';
  if (format !== 'csv') {
    if (given.delimiter === undefined) return { format };
    throw new ImportError(`${name} is JSON, which has no delimiter: leave out --delimiter`);
  }
  if (first === '') throw new ImportError(`${name} is empty: the first line of a CSV names its columns`);
  const delimiter = given.delimiter ?? findDelimiter(head);
  if (delimiter !== undefined) return { format, delimiter };
  const known = DELIMITERS.map((one) => (one === '\t' ? 'tab' : one)).join(' ');
  throw new ImportError(
    `${name}, line 1: the header has two delimiters equally often: say which with --delimiter (${known})`,
  );
}

const BY_FIRST: { readonly [first: string]: 'json' | 'ndjson' } = { '[': 'json', '{': 'ndjson' };

async function headOf(text: AsyncIterable<Buffer>): Promise<string> {
  let head = '';
  for await (const chunk of text) {
    head += chunk.toString();
    if (head.length > HEAD_BYTES) break;
  }
  return head;
}
