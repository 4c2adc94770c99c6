/** Numbers of rows: all up to one, and some above it. It stays small if they come roughly in order. */
export type RowSet = {
  readonly add: (row: number) => void;
  readonly has: (row: number) => boolean;
  /** The last row that is in the set together with all rows before it. 0: the first one is missing. */
  readonly upTo: () => number;
  readonly above: () => readonly number[];
  readonly size: () => number;
};

export function rowSet(from = 0): RowSet {
  const above = new Set<number>();
  let upTo = from;
  return {
    add: (row) => {
      if (row > upTo) above.add(row);
      while (above.delete(upTo + 1)) upTo += 1;
    },
    has: (row) => row <= upTo || above.has(row),
    upTo: () => upTo,
    above: () => [...above],
    size: () => upTo + above.size,
  };
}
