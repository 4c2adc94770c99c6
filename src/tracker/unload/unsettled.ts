import type { Entry, StoredEntry } from '../record/call.ts';

/**
 * The records that a page has at hand and knows to be unsettled: its own, and those the buffer was last found to begin
 * with. A page that is being left can ask nobody else: neither the database nor a lock answers in time, and a page that
 * asks is not kept in the back/forward cache.
 */
export type Unsettled = {
  /** Takes records that were appended, and how many the buffer then held. */
  readonly stored: (entries: readonly StoredEntry[], waiting: number) => void;
  /** Takes what the buffer begins with: nothing comes after these if `isWhole`. So many of them may be sent for now. */
  readonly resync: (oldest: readonly StoredEntry[], isWhole: boolean, sendable: number) => void;
  readonly forget: (ids: readonly string[]) => void;
  readonly clear: () => void;
  /** Those of a batch that are in the buffer and still unsettled. */
  readonly among: (batch: readonly Entry[]) => readonly StoredEntry[];
  readonly all: () => readonly StoredEntry[];
  /** The first of them: none in the buffer stands before one of these that is not among them. */
  readonly head: () => readonly StoredEntry[];
  /** Whether the buffer holds no others, as far as the page knows. */
  readonly isComplete: () => boolean;
  /** How many were not to be sent when the buffer was last read. */
  readonly skipped: () => number;
};

export function unsettledRecords(): Unsettled {
  let known = new Map<string, StoredEntry>();
  let isComplete = false;
  // Up to this row all of them are known.
  let reach = 0;
  let skipped = 0;
  const all = () => [...known.values()];

  return {
    stored: (entries, waiting) => {
      for (const entry of entries) known.set(entry.id, entry);
      isComplete = waiting <= known.size;
    },
    resync: (oldest, isWhole, sendable) => {
      skipped = oldest.length - sendable;
      isComplete ||= isWhole;
      reach = oldest[oldest.length - 1]?.key ?? 0;
      // Of those up to there that were not found, another tab has settled all; the last row may go on.
      const after = isWhole ? [] : all().filter(({ key }) => key >= reach);
      known = new Map([...oldest, ...after].map((entry) => [entry.id, entry]));
    },
    forget: (ids) => {
      for (const id of ids) known.delete(id);
    },
    clear: () => known.clear(),
    among: (batch) => batch.flatMap(({ id }) => known.get(id) ?? []),
    all,
    head: () => (isComplete ? all() : all().filter(({ key }) => key <= reach)),
    isComplete: () => isComplete,
    skipped: () => skipped,
  };
}
