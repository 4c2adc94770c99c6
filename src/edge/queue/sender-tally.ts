import type { Lane } from '../../contract/lane.ts';

/** What became of a server's records on arrival, by its token's name and the lane. */
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

/**
 * Counts what servers send, in memory. One row holds all of it and is written when `write` is called, as each
 * relay pass does at its end: a row for each flush would be billed. The operator names the senders, so there
 * are few.
 */
export type SenderTally = {
  readonly count: (counts: SenderCounts) => void;
  /** Everything counted so far, written or not. */
  readonly read: (kv: SyncKvStorage) => readonly SenderCounts[];
  /** Writes the counts that are still in memory. */
  readonly write: (kv: SyncKvStorage) => void;
};

export function senderTally(): SenderTally {
  let pending: readonly SenderCounts[] = [];
  const read = (kv: SyncKvStorage) =>
    addSenders([...(kv.get<readonly SenderCounts[]>('senders') ?? []), ...pending]);
  return {
    count: (counts) => {
      pending = addSenders([...pending, counts]);
    },
    read,
    write: (kv) => {
      if (pending.length === 0) return;
      kv.put('senders', read(kv));
      pending = [];
    },
  };
}
