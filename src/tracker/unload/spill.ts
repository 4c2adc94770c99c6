import type { PageStorage } from '../platform/local-storage.ts';
import type { Entry } from '../store/record-store.ts';

/** What synchronous storage holds for the database, which is too slow for a page that is being left. */
export type Spill = {
  /** What earlier pages left there, oldest first. */
  readonly left: readonly Entry[];
  /** Keeps these until told that they are safe elsewhere. False where it can't keep all of them. */
  readonly write: (entries: readonly Entry[]) => boolean;
  /** To be called when all that was left or written is durable or settled. */
  readonly clear: () => void;
};

/** The records of one page, in its order: each at the latest time so far, for its clock may have been set back. */
function readSpill(value: unknown): readonly (readonly [latest: number, entry: Entry])[] {
  let latest = 0;
  // Anything may lie there. A key says where in a buffer a record was, and another one is meant for it.
  return ([value].flat() as (Entry | null | undefined)[]).flatMap((spilled): [number, Entry][] => {
    if (!spilled?.record?.id) return [];
    const { at, record } = spilled;
    latest = Math.max(latest, at);
    return [[latest, { at, record }]];
  });
}

/**
 * Each page has a key of its own. What is there is moved into the database by the next page to start, which may be another
 * tab while this page still lives: a record that is moved twice has the same id twice, and the relay takes it once.
 */
export function pageSpill(storage: PageStorage, name: string, session: string): Spill {
  const prefix = `${name}#`;
  const own = prefix + session;
  const texts = new Map<string, string>();
  const read = (key: string) => JSON.stringify(storage.get(key));

  for (const key of storage.keys()) if (key.startsWith(prefix)) texts.set(key, read(key));
  const found = [...texts.keys()].flatMap((key) => readSpill(storage.get(key)));
  const left = new Map(found.sort(([a], [b]) => a - b).map(([, entry]) => [entry.record.id, entry]));
  return {
    left: [...left.values()],
    write: (entries) => {
      // Where not all of it has room, the oldest: newer ones that are sent first would overtake them.
      let count = entries.length;
      while (count > 0 && !storage.set(own, entries.slice(0, count))) count >>= 1;
      texts.set(own, read(own));
      return count === entries.length;
    },
    clear: () => {
      // Not what another tab, which still lives, has put there since.
      for (const [key, text] of texts) if (read(key) === text) storage.remove(key);
      texts.clear();
    },
  };
}
