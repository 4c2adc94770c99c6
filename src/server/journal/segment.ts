import { SLOTS } from '../record-id.ts';

/** A record as a journal keeps it. */
export type KeptRecord = {
  readonly slot: number;
  readonly id: string;
  /** When the call was made, in milliseconds since 1970. */
  readonly at: number;
  /** The client's `source`: with another one the same id would be a new record. */
  readonly source: string;
  /** The record without id and age: a JSON object. */
  readonly json: string;
};

/** A line of a segment: a record, or the ids of earlier ones that the relay has settled. */
type Line = KeptRecord | { readonly settled: readonly string[] };

const NAME_DIGITS = 12;

/** The names of segments sort by age. */
export const SEGMENT_NAME = /^\d{12}\.ndjson$/;

export function segmentName(number: number): string {
  return `${String(number).padStart(NAME_DIGITS, '0')}.ndjson`;
}

export function recordLine({ slot, id, at, source, json }: KeptRecord): string {
  return `${JSON.stringify({ slot, id, at, source }).slice(0, -1)},"record":${json}}\n`;
}

export function settledLine(ids: readonly string[]): string {
  return `${JSON.stringify({ settled: ids })}\n`;
}

function readLine(text: string): Line | undefined {
  try {
    const { slot, id, at, source, record, settled } = JSON.parse(text);
    if (Array.isArray(settled)) return { settled };
    const isSlot = Number.isInteger(slot) && slot >= 0 && slot < SLOTS;
    const isRecord = typeof record === 'object' && record !== null && typeof record.kind === 'string';
    if (!isSlot || !isRecord || typeof id !== 'string' || typeof at !== 'number') return undefined;
    return { slot, id, at, source: String(source), json: JSON.stringify(record) };
  } catch {
    return undefined; // The caller reports it.
  }
}

/**
 * Reads a segment, and numbers the lines that can't be read. Skips a last line without an end: the process or the
 * machine stopped while it was written, so its call had not resolved.
 */
export function readSegment(text: string): {
  readonly lines: readonly Line[];
  readonly damaged: readonly number[];
} {
  const lines: Line[] = [];
  const damaged: number[] = [];
  for (const [index, each] of text.split('\n').slice(0, -1).entries()) {
    const line = readLine(each);
    if (line === undefined) damaged.push(index + 1);
    else lines.push(line);
  }
  return { lines, damaged };
}
