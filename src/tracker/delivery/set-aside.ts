import type { StoredEntry } from '../record/call.ts';
import type { Outcome } from '../record/outcome.ts';

/**
 * Records that were refused by themselves, and are passed over until it is known whether they are at fault or the way is:
 * a firewall that objects to one record answers as one that objects to all.
 */
export type SetAside = {
  /** False where so many were refused one after the other that the records can't be at fault. */
  readonly add: (entry: StoredEntry, outcome: Outcome) => boolean;
  readonly has: (entry: Pick<StoredEntry, 'id'>) => boolean;
  readonly all: () => readonly StoredEntry[];
  /** Another record was taken, so these are at fault; answers with them, and forgets them. */
  readonly confirm: () => readonly StoredEntry[];
  readonly messageOf: (id: string) => string;
  readonly clear: () => void;
};

const MAX_IN_A_ROW = 3;

export function recordsSetAside(): SetAside {
  const aside = new Map<string, StoredEntry>();
  let messages = new Map<string, string>();

  return {
    add: (entry, outcome) => {
      aside.set(entry.id, entry);
      messages.set(
        entry.id,
        outcome.kind === 'refused'
          ? outcome.message
          : 'is refused on its way to the relay, by a firewall or proxy',
      );
      return aside.size <= MAX_IN_A_ROW;
    },
    has: ({ id }) => aside.has(id),
    all: () => [...aside.values()],
    confirm: () => {
      const confirmed = [...aside.values()];
      aside.clear();
      return confirmed;
    },
    messageOf: (id) => messages.get(id) ?? '',
    clear: () => {
      aside.clear();
      messages = new Map();
    },
  };
}
