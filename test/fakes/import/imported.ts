import type { ColumnChoices } from '../../../src/import/read/columns/column-map.ts';
import { type ImportOptions, openImport } from '../../../src/import/read/open-import.ts';
import type { ImportRow, ImportSource } from '../../../src/import/read/source.ts';
import { all, memoryFile } from './memory-file.ts';

export const NOW = Date.parse('2026-11-23T12:00:00Z');

const DAY_MS = 24 * 60 * 60 * 1000;

/** Opens a file in memory. Without options it is one of users. */
export function opened(
  content: string | Uint8Array,
  options: Partial<ImportOptions> = {},
): Promise<ImportSource> {
  return openImport(memoryFile(content), {
    kind: 'user',
    choices: new Map(),
    timeZone: 'UTC',
    repair: false,
    maxEventAgeMs: 31 * DAY_MS,
    now: NOW,
    ...options,
  });
}

/** Its rows. The record of a good one is an object. */
export async function rowsOf(content: string | Uint8Array, options: Partial<ImportOptions> = {}) {
  return rowsFrom(await opened(content, options));
}

export async function rowsFrom(source: ImportSource, ...wants: Parameters<ImportSource['read']>) {
  return (await all(source.read(...wants))).map(shown);
}

function shown(row: ImportRow) {
  const { number, line } = row;
  if (row.ok) return { number, line, record: JSON.parse(row.json), repairs: row.repairs };
  return {
    number,
    line,
    issues: row.issues.map(({ path, message }) => `${path} ${message}`.trim()),
    row: row.row,
  };
}

/** What `--column` says. Null leaves a column out. */
export function columns(given: { readonly [column: string]: string | null }): ColumnChoices {
  return new Map(
    Object.entries(given).map(([name, field]) => [
      name,
      { choice: field === null ? null : { field }, from: '--column' as const },
    ]),
  );
}
