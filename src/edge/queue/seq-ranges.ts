/**
 * A set of positive whole numbers, as sorted intervals that don't touch: `1-25,27`. Small if most numbers come
 * in order, exact in any order. (The idea is TCP's selective acknowledgement, RFC 2018.)
 */
export type Seqs = readonly SeqRange[];

/** From the first number up to and including the last. */
export type SeqRange = readonly [from: number, to: number];

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
  const next = seqs[firstUpTo(seqs, seq)];
  return next !== undefined && next[0] <= seq;
}

/** The set with these numbers added. */
export function addSeqs(seqs: Seqs, added: readonly number[]): Seqs {
  const ranges: [number, number][] = [];
  for (const seq of added) {
    const last = ranges.at(-1);
    if (last !== undefined && seq === last[1] + 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return joinSeqs(seqs, ranges);
}

/** How many numbers there are. */
export function countSeqs(seqs: Seqs): number {
  return seqs.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

/** The numbers of both. The intervals of the second may be in any order, and may overlap. */
export function joinSeqs(seqs: Seqs, others: readonly SeqRange[]): Seqs {
  const sorted = [...seqs, ...others].sort(([a], [b]) => a - b);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** The intervals of the other numbers from `from` up to, but not including, `below`. */
export function gapsIn(seqs: Seqs, from: number, below: number): Seqs {
  const gaps: SeqRange[] = [];
  let next = from;
  for (let at = firstUpTo(seqs, from); next < below; at++) {
    const [first, last] = seqs[at] ?? [below, below];
    if (first > next) gaps.push([next, Math.min(first, below) - 1]);
    next = Math.max(next, last + 1);
  }
  return gaps;
}

/** The index of the first interval that ends at a number or after it. */
function firstUpTo(seqs: Seqs, seq: number): number {
  let [low, high] = [0, seqs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((seqs[middle]?.[1] ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
