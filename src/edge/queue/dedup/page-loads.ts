import { splitId } from '../../../contract/record.ts';

// How many of a page load's sequence numbers share a row. More would save rows for the rare long page load.
// But a sender that scatters its numbers makes rows that are slow to read, and one request can touch 400 of
// them.
const SEQS_PER_ROW = 256;

/** A part of a page load's ids: those of a device whose sequence numbers share a row. */
export type Part = { readonly device: string; readonly session: string; readonly part: number };

export const keyOf = ({ device, session, part }: Part): string => `${part} ${session} ${device}`;

/** The sequence numbers of some ids of one part, in the order of the ids. */
export type PartOfIds = { readonly part: Part; readonly seqs: number[] };

/** The ids of a device, by the part of the page load. */
export function byPart(device: string, ids: readonly string[]): readonly PartOfIds[] {
  const parts = new Map<string, PartOfIds>();
  let last: PartOfIds | undefined;
  for (const id of ids) {
    const { session, seq } = splitId(id);
    const part = Math.floor(seq / SEQS_PER_ROW);
    // Most often, all ids of a flush are of one part.
    if (last === undefined || last.part.session !== session || last.part.part !== part) {
      const next = { device, session, part };
      last = parts.get(keyOf(next)) ?? { part: next, seqs: [] };
      parts.set(keyOf(next), last);
    }
    last.seqs.push(seq);
  }
  return [...parts.values()];
}
