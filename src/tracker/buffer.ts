import type { TrackerRecord } from '../contract/record.ts';

/** A record as it lies in the buffer. `at`: when its call was made, by the visitor's clock. */
export type Entry = { readonly at: number; readonly record: TrackerRecord };

/** An entry under its key. Keys grow with every append and are never given twice. */
export type BufferedRecord = Entry & { readonly key: number };

/** What an append has made, and how many records the buffer then holds. */
type Appended = { readonly records: readonly BufferedRecord[]; readonly waiting: number };

/** The browser's durable queue of records, one for all tabs. */
interface RecordBuffer {
  /** Appends all or none, in order; resolves once they are durable. None at all just counts. */
  append(entries: readonly Entry[]): Promise<Appended>;
  /** The oldest records, oldest first; they stay. */
  peek(limit: number): Promise<readonly BufferedRecord[]>;
  /** Forgets the records under these keys; a key that is not there is no error. */
  remove(keys: readonly number[]): Promise<void>;
}

/** Small facts that outlive the page, beside the records and shared by all tabs. */
export interface StateStore {
  get(name: string): Promise<unknown>;
  /** Replaces a value by what is made of it, with no other tab in between; resolves with the new one. */
  update<T>(name: string, change: (value: unknown) => T): Promise<T>;
}

export type Storage = {
  readonly buffer: RecordBuffer;
  readonly state: StateStore;
};
