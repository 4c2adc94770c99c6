import type { BufferedRecord, Entry } from '../store/record-store.ts';

/** What the buffer begins with, but for what is passed over. */
type Sight = {
  readonly records: readonly BufferedRecord[];
  /** Nothing comes after these. */
  readonly whole: boolean;
  /** The last key that is known of. */
  readonly lastKey: number | undefined;
};

/**
 * The records that a page has at hand and knows to be unsettled: its own, and those the buffer was last found to begin
 * with. A page that is being left can ask nobody else: neither the database nor a lock answers in time, and a page that
 * asks is not kept in the back/forward cache.
 */
export type Held = {
  /** Takes records that are on their way into the buffer. */
  readonly coming: (entries: readonly Entry[]) => void;
  /** Takes the same once they are in it, and how many it then held in all. */
  readonly add: (records: readonly BufferedRecord[], waiting: number) => void;
  /** Takes what the buffer begins with. `stays`: what is passed over, and in the buffer though it was not found. */
  readonly found: (sight: Sight, stays?: (entry: Entry) => boolean) => void;
  readonly forget: (ids: readonly string[]) => void;
  /** Those of a batch that are in the buffer by now, and still unsettled. */
  readonly buffered: (batch: readonly Entry[]) => readonly BufferedRecord[];
  /** Those that are not in the buffer; or all, where they are asked for or the buffer itself ends with the page. */
  readonly unsaved: (all?: boolean) => readonly Entry[];
  /** The first of those that may leave: with none before them in the buffer that are not among them. */
  readonly head: () => readonly Entry[];
};

/**
 * @param isFirst there was no page before: nothing can lie in the buffer that this one does not know
 * @param isDurable false where what is buffered ends with the page
 */
export function heldRecords(isFirst: boolean, isDurable: () => boolean): Held {
  const pending = new Map<string, Entry>();
  let held = new Map<string, BufferedRecord>();
  // How many of the held ones are known to have no others before them.
  let headSize = isFirst ? Number.POSITIVE_INFINITY : 0;
  // The last key of the buffer, as far as is known: the next one follows it, unless another tab comes between.
  let lastKey: number | undefined;

  return {
    coming: (entries) => {
      for (const entry of entries) pending.set(entry.record.id, entry);
    },
    add: (records, waiting) => {
      const before = held.size;
      for (const entry of records) {
        pending.delete(entry.record.id);
        held.set(entry.record.id, entry);
      }
      const follows = lastKey === undefined ? held.size >= waiting : Number(records[0]?.key) <= lastKey + 1;
      if (!follows) headSize = Math.min(headSize, before);
      lastKey = records.at(-1)?.key;
    },
    found: ({ records: oldest, whole, lastKey: seen }, stays = () => false) => {
      const first = new Map(oldest.map((entry) => [entry.record.id, entry]));
      const last = whole ? Number.POSITIVE_INFINITY : Number(oldest.at(-1)?.key);
      for (const [id, entry] of held) {
        if (entry.key >= last) break;
        // Another tab has settled it.
        if (!first.has(id) && !stays(entry) && held.delete(id)) headSize -= 1;
      }
      if (oldest.some(({ record }) => !held.has(record.id))) {
        // Those that stay keep their place among them.
        held = new Map([...first, ...held].sort(([, a], [, b]) => a.key - b.key));
        headSize = 0;
      }
      // Not how many were found: some stay between them, and one that was moved twice stands there twice.
      const known = [...held.values()].filter(({ key }) => key <= last).length;
      headSize = Math.max(headSize, known);
      if (!whole) return;
      headSize = Number.POSITIVE_INFINITY;
      lastKey = seen;
    },
    forget: (ids) => {
      for (const id of ids) if (held.delete(id)) headSize -= 1;
    },
    buffered: (batch) => batch.flatMap(({ record }) => held.get(record.id) ?? []),
    unsaved: (all = !isDurable()) => [...(all ? held.values() : []), ...pending.values()],
    head: () => [...held.values(), ...pending.values()].slice(0, headSize),
  };
}
