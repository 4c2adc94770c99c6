import {
  array,
  type InferOutput,
  minLength,
  nonEmpty,
  number,
  optional,
  picklist,
  pipe,
  regex,
  safeParse,
  strictObject,
  string,
} from 'valibot';
import { addSeqs, formatSeqs, parseSeqs } from '../../../edge/queue/seq-ranges.ts';

// Ranges of row numbers, such as `1-25,27`.
const rows = pipe(string(), regex(/^(\d+(-\d+)?(,\d+(-\d+)?)*)?$/));

const sealedSchema = strictObject({
  /** The `x-request-id` of the call. */
  id: pipe(string(), nonEmpty()),
  kind: picklist(['user', 'event']),
  rows,
});

const reasons = array(
  strictObject({ path: string(), message: string(), rows: number(), firstRows: array(number()) }),
);

const lineSchema = strictObject({
  /** In the first line of a file alone: the digest of the import. */
  import: optional(pipe(string(), minLength(1))),
  /** In the first line alone: where the rows go. */
  into: optional(string()),
  /** Rows that have arrived. */
  sent: optional(rows),
  /** Rows that the destination has refused. The next run sends them again. */
  refused: optional(rows),
  /** Batches whose calls may leave from now on. */
  sealed: optional(array(sealedSchema)),
  /** Ids of sealed batches that have ended. */
  unsealed: optional(array(string())),
  /** How many of the sent rows were repaired, or were at the relay already. */
  repaired: number(),
  duplicates: number(),
  /** What was repaired, if that has changed since the last line. */
  repairs: optional(strictObject({ reasons, others: number() })),
});

/** A line of a journal. The first one of a file holds everything, each later one what has changed. */
export type Line = InferOutput<typeof lineSchema>;
export type SealedLine = InferOutput<typeof sealedSchema>;

export function formatLine(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

function parseLine(text: string): Line | undefined {
  try {
    const { success, output } = safeParse(lineSchema, JSON.parse(text));
    return success ? output : undefined;
  } catch {
    return undefined; // The caller decides what a line that can't be read means.
  }
}

export type ReadLines =
  | { readonly ok: true; readonly lines: readonly Line[] }
  /** A line in the middle can't be read. */
  | { readonly ok: false; readonly damagedLine: number };

/** Reads a file's lines. Leaves out an end that can't be read: the process or the machine stopped while it was written. */
export function parseLines(text: string): ReadLines {
  const read = text.split('\n').slice(0, -1).map(parseLine);
  const last = read.findLastIndex((line) => line !== undefined);
  const lines = read.slice(0, last + 1);
  const damaged = lines.indexOf(undefined);
  if (damaged >= 0) return { ok: false, damagedLine: damaged + 1 };
  return { ok: true, lines: lines.filter((line) => line !== undefined) };
}

/** Row numbers as a line holds them, such as `1-25,27`. */
export function formatRows(numbers: readonly number[]): string {
  return formatSeqs(addSeqs([], numbers));
}

export function parseRows(text: string): readonly number[] {
  return parseSeqs(text).flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index),
  );
}
