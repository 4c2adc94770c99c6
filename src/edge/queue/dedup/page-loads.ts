import { splitId } from '../../../contract/record.ts';

// How many of a page load's sequence numbers share a row. More would save rows for the rare long page load.
// But a sender that scatters its numbers makes rows that are slow to read, and one request can touch 400 of
// them.
const SEQS_PER_ROW = 256;

/** A part of a page load's ids: those of a device whose sequence numbers share a row. */
export type Part = { readonly device: string; readonly session: string; readonly part: number };

export const keyOf = ({ device, session, part }: Part): string => `${part} ${session} ${device}`;

/** The ids of a device, by the part of the page load. */
export function byPart(
  device: string,
  ids: Iterable<string>,
): { readonly part: Part; readonly seqs: number[] }[] {
  const parts = new Map<string, { readonly part: Part; readonly seqs: number[] }>();
  for (const id of ids) {
    const { session, seq } = splitId(id);
    const part = { device, session, part: Math.floor(seq / SEQS_PER_ROW) };
    const known = parts.get(keyOf(part));
    if (known === undefined) parts.set(keyOf(part), { part, seqs: [seq] });
    else known.seqs.push(seq);
  }
  return [...parts.values()];
}
