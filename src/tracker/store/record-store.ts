import type { TrackerRecord } from '../../contract/record.ts';
import type { End } from '../engine/events.ts';

/** A record as it lies in the buffer. `at`: when its call was made, by the visitor's clock. */
export type Entry = { readonly at: number; readonly record: TrackerRecord };

/** An entry under the key of its row. Keys grow with every append; records made in one task can share one. */
export type BufferedRecord = Entry & { readonly key: number };

/** What an append has made, and how many records the buffer then holds. */
type Appended = { readonly records: readonly BufferedRecord[]; readonly waiting: number };

/** How many records a buffer has ever taken, and how many have ended in each way. The rest waits in it. */
export type Counts = { readonly [end in End | 'made']?: number };

/** Small facts that outlive the page, beside the records and shared by all tabs. */
export interface StateStore {
  get(name: string): Promise<unknown>;
  /** Replaces a value by what is made of it, with no other tab in between; resolves with the new one. */
  update<T>(name: string, change: (value: unknown) => T): Promise<T>;
}

/** The browser's durable queue of records, one for all tabs, and the small facts beside it. */
export interface Storage extends StateStore {
  /** Appends all or none, in order; resolves once they are durable. */
  append(entries: readonly Entry[]): Promise<Appended>;
  /**
   * The oldest records, oldest first; they stay.
   *
   * @param from the row to begin with
   * @param wanted is shown each record that is looked at, in their order: what it does not want is passed over
   */
  peek(
    limit: number,
    from?: number,
    wanted?: (record: BufferedRecord) => boolean,
  ): Promise<readonly BufferedRecord[]>;
  /** Forgets records, and counts how they ended. One that is not there is no error, and not counted. */
  remove(records: readonly BufferedRecord[], end: End): Promise<void>;
  /** Forgets everything, and what it lay in. */
  clear(): Promise<void>;
}

/** The name of the counts in the state shared by all tabs. They change together with the records. */
export const COUNTS = 'counts';

/** The change of the counts by so many records. */
export function counting(what: End | 'made', by: number): (kept: unknown) => Counts {
  return (kept) => {
    // Ours alone writes it, under a name of its own.
    const counts = (kept ?? {}) as Counts;
    return { ...counts, [what]: (counts[what] ?? 0) + by };
  };
}

/** How many records wait. */
export function waiting({ made = 0, ...ends }: Counts): number {
  return Object.values(ends).reduce((left, ended) => left - ended, made);
}
