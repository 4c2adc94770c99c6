import { LANES, type Lane } from '../../contract/lane.ts';

/** A number for each lane. */
export type ByLane = Readonly<Record<Lane, number>>;

// Requeued records go before the first run of their lane. This leaves room for them.
const FRONT = 2 ** 40;

/**
 * A lane is a range of `run.seq`, so it needs no column and no index: a look-up finds its newest run, and its
 * oldest runs are read in order. Older releases numbered all runs from 1, so theirs are live.
 */
const RANGES: Readonly<
  Record<Lane, { readonly from: number; readonly first: number; readonly below: number }>
> = {
  live: { from: Number.MIN_SAFE_INTEGER, first: 1, below: 2 ** 51 },
  server: { from: 2 ** 51, first: 2 ** 51 + FRONT, below: 2 ** 52 },
  import: { from: 2 ** 52, first: 2 ** 52 + FRONT, below: 2 ** 53 },
};

/** The numbers of a lane's runs: from `from` up to, but not including, `below`. */
export function seqsOf(lane: Lane): { readonly from: number; readonly below: number } {
  return RANGES[lane];
}

/** The SQL condition for the runs of a lane. */
export function within(lane: Lane): string {
  const { from, below } = RANGES[lane];
  return `seq >= ${from} AND seq < ${below}`;
}

/** The number of a lane's first run. */
export function firstSeq(lane: Lane): number {
  return RANGES[lane].first;
}

export function laneOf(seq: number): Lane {
  if (seq < RANGES.server.from) return 'live';
  return seq < RANGES.import.from ? 'server' : 'import';
}

/**
 * The number of the run that follows a run with this many records. Outside the live lane, numbers grow by the records, so
 * the newest one tells how many have entered its lane.
 */
export function seqAfter(seq: number, records: number): number {
  return seq + (laneOf(seq) === 'live' ? 1 : records);
}

export function byLane(amountOf: (lane: Lane) => number): ByLane {
  return { live: amountOf('live'), server: amountOf('server'), import: amountOf('import') };
}

/** How many of these records are in each lane. */
export function countByLane(
  slices: readonly { readonly seq: number; readonly from: number; readonly to: number }[],
): ByLane {
  return byLane((lane) =>
    slices.reduce((sum, { seq, from, to }) => (laneOf(seq) === lane ? sum + to - from : sum), 0),
  );
}

/** The most important lane of these records. */
export function leadingLane(slices: readonly { readonly seq: number }[]): Lane {
  return LANES.find((lane) => slices.some(({ seq }) => laneOf(seq) === lane)) ?? 'live';
}
