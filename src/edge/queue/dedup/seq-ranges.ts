/**
 * The known sequence numbers of a page load's records, as intervals: `1-25,27`. Small if most arrive in
 * order, exact in any order. (The idea is TCP's selective acknowledgement, RFC 2018.)
 */
export type Seqs = readonly (readonly [from: number, to: number])[];

export function parseSeqs(text: string): Seqs {
  if (text === '') return [];
  return text.split(',').map((interval) => {
    const [from = '', to = from] = interval.split('-');
    return [Number(from), Number(to)];
  });
}

export function formatSeqs(seqs: Seqs): string {
  return seqs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

export function hasSeq(seqs: Seqs, seq: number): boolean {
  return seqs.some(([from, to]) => from <= seq && seq <= to);
}

/** The intervals with these numbers added: sorted, and joined where they touch. */
export function addSeqs(seqs: Seqs, added: readonly number[]): Seqs {
  const sorted = [...seqs, ...added.map((seq) => [seq, seq] as const)].sort(([a], [b]) => a - b);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}
