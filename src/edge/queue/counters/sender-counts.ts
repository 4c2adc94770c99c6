import type { Lane } from '../../../contract/lane.ts';

/** The outcomes of a server's records on arrival, by the name of its token and the lane. */
export type SenderCounts = {
  readonly name: string;
  readonly lane: Lane;
  readonly accepted: number;
  readonly duplicates: number;
  /** Expired ones included. */
  readonly rejected: number;
};

/** Adds up the counts of each sender in each lane. */
export function addSenders(all: readonly SenderCounts[]): readonly SenderCounts[] {
  const sums = new Map<string, SenderCounts>();
  for (const each of all) {
    const key = JSON.stringify([each.name, each.lane]);
    const known = sums.get(key);
    sums.set(key, {
      ...each,
      accepted: each.accepted + (known?.accepted ?? 0),
      duplicates: each.duplicates + (known?.duplicates ?? 0),
      rejected: each.rejected + (known?.rejected ?? 0),
    });
  }
  return [...sums.values()];
}
