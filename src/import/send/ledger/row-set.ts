import type { Seqs } from '../../../edge/queue/seq-ranges.ts';

/** Numbers of rows, from 1. Each row up to the last one takes a bit, in whatever order rows come. */
export type RowSet = {
  readonly add: (row: number) => void;
  readonly has: (row: number) => boolean;
  /** The last row that is in the set together with all rows before it. 0: the first one is missing. */
  readonly upTo: () => number;
  readonly size: () => number;
  readonly intervals: () => Seqs;
};

const FIRST_BYTES = 1024;

/** @param intervals the rows that are in the set from the start */
export function rowSet(intervals: Seqs = []): RowSet {
  let bits = new Uint8Array(FIRST_BYTES);
  let upTo = 0;
  let last = 0;
  let size = 0;

  const byteOf = (row: number) => bits[row >> 3] ?? 0;
  const has = (row: number) => (byteOf(row) & (1 << (row & 7))) !== 0;
  function add(row: number): void {
    if (has(row)) return;
    if (row >> 3 >= bits.length) {
      const more = new Uint8Array(Math.max(bits.length * 2, (row >> 3) + 1));
      more.set(bits);
      bits = more;
    }
    bits[row >> 3] = byteOf(row) | (1 << (row & 7));
    size += 1;
    last = Math.max(last, row);
    while (has(upTo + 1)) upTo += 1;
  }

  for (const [from, to] of intervals) for (let row = from; row <= to; row++) add(row);
  return {
    add,
    has,
    upTo: () => upTo,
    size: () => size,
    intervals: () => {
      const found: [number, number][] = [];
      for (let row = 1; row <= last; row++) {
        if (!has(row)) continue;
        const from = row;
        while (has(row + 1)) row += 1;
        found.push([from, row]);
      }
      return found;
    },
  };
}
