import type { Entry, StoredEntry } from '../record/call.ts';
import type { Disposition } from '../record/outcome.ts';
import type { Reported, Visitor } from '../record/visitor.ts';
import { type Counts, readCounts } from './stats.ts';

/** What an append reads and writes beside the records. */
export type KeptState = { readonly visitor: Visitor; readonly reported: Reported };

/** What an append is to write. */
export type Change = KeptState & {
  readonly entries: readonly Entry[];
  /** Whether all that lies there is removed first: the visitor has opted out, or in again. */
  readonly clears: boolean;
};

/** What an append has written, and how many records the buffer then holds. */
export type Appended = {
  readonly visitor: Visitor;
  readonly entries: readonly StoredEntry[];
  readonly waiting: number;
  /** The records that were removed. */
  readonly cleared: readonly StoredEntry[];
};

/** The browser's durable queue of records, one for all tabs, and the small facts beside it. */
export interface RecordStore {
  /**
   * Appends all or none, in order, with what `change` makes of the state that is kept, and no other tab in between.
   * Resolves once they are durable. `change` may be asked more than once.
   */
  append(change: (kept: KeptState) => Change): Promise<Appended>;
  /**
   * The oldest records, oldest first; they stay.
   *
   * @param from the row to begin with
   * @param wanted is shown each record that is read, in order; those it does not want are skipped
   */
  peek(
    limit: number,
    from?: number,
    wanted?: (entry: StoredEntry) => boolean,
  ): Promise<readonly StoredEntry[]>;
  /** Removes records, oldest first, and counts how they ended. One that is not there is no error, and not counted. */
  remove(entries: readonly StoredEntry[], end: Disposition): Promise<void>;
  get(name: string): Promise<unknown>;
  /** Replaces a value by what is made of it, with no other tab in between; resolves with the new one. */
  update<T>(name: string, change: (value: unknown) => T): Promise<T>;
}

/** The names of what lies beside the records. */
export const VISITOR = 'visitor';
export const REPORTED = 'reported';
export const COUNTS = 'counts';

/** The counts, changed by so many records. They change together with the records. */
export function counting(counts: unknown, what: Disposition | 'tracked', by: number): Counts {
  const before = readCounts(counts);
  return { ...before, [what]: (before[what] ?? 0) + by };
}
