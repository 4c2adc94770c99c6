import type { Entry, StoredEntry } from '../record/call.ts';

/**
 * The records that a page has at hand and knows to be unsettled: its own, and those the buffer was last found to begin
 * with. A page that is being left can ask nobody else: neither the database nor a lock answers in time, and a page that
 * asks is not kept in the back/forward cache.
 */
export type Unsettled = {
  /** Takes records that were appended, and how many the buffer then held. */
  readonly stored: (entries: readonly StoredEntry[], waiting: number) => void;
  /**
   * Takes what the buffer begins with. `isWhole`: nothing comes after these.
   *
   * @param skipped those that lie between them, which are not to be sent for now
   * @param unread how many more of those lie before them
   */
  readonly resync: (
    oldest: readonly StoredEntry[],
    isWhole: boolean,
    skipped: readonly StoredEntry[],
    unread?: number,
  ) => void;
  readonly forget: (ids: readonly string[]) => void;
  readonly clear: () => void;
  /** Those of a batch that are in the buffer and still unsettled. */
  readonly among: (batch: readonly Entry[]) => readonly StoredEntry[];
  readonly all: () => readonly StoredEntry[];
  /** The first of them: none in the buffer stands before one of these that is not among them. */
  readonly head: () => readonly StoredEntry[];
  /** Whether the buffer holds no others, as far as the page knows. */
  readonly isComplete: () => boolean;
  /** How many were skipped when the buffer was last read. */
  readonly skipped: () => number;
};

export function unsettledRecords(): Unsettled {
  let known = new Map<string, StoredEntry>();
  // Up to this row all of them are known.
  let reach = 0;
  let isWholeKnown = true;
  let skippedCount = 0;

  return {
    stored: (entries, waiting) => {
      for (const entry of entries) known.set(entry.id, entry);
      const [first, last] = [entries[0], entries[entries.length - 1]];
      if (!first || !last) return;
      // Keys grow by one with each row: where one is left out, another tab has appended in between.
      if (waiting === entries.length) isWholeKnown = true;
      else if (first.key !== reach + 1) isWholeKnown = false;
      if (isWholeKnown) reach = last.key;
    },
    resync: (oldest, isWhole, skipped, unread = 0) => {
      const last = isWhole ? Number.POSITIVE_INFINITY : (oldest[oldest.length - 1]?.key ?? 0);
      const found = [...oldest, ...skipped];
      // Of those up to there that were not found, another tab has settled all; the last row may go on.
      for (const [, entry] of known) if (entry.key >= last) found.push(entry);
      known = new Map(found.sort((a, b) => a.key - b.key).map((entry) => [entry.id, entry]));
      reach = isWhole ? (found[found.length - 1]?.key ?? reach) : last;
      isWholeKnown = isWhole;
      skippedCount = skipped.length + unread;
    },
    forget: (ids) => {
      for (const id of ids) known.delete(id);
    },
    clear: () => known.clear(),
    among: (batch) => {
      const found: StoredEntry[] = [];
      for (const { id } of batch) {
        const entry = known.get(id);
        if (entry) found.push(entry);
      }
      return found;
    },
    all: () => [...known.values()],
    head: () => [...known.values()].filter(({ key }) => key <= reach),
    isComplete: () => isWholeKnown,
    skipped: () => skippedCount,
  };
}
