import { promisifyRequest } from 'idb-keyval';
import type { Entry, StoredEntry } from '../record/call.ts';
import type { Disposition } from '../record/outcome.ts';
import { bare } from '../record/own-fields.ts';
import { isOut, readVisitor, toStored, type Visitor } from '../record/visitor.ts';
import { type Objects, rowsAfter, type Transact } from './objects.ts';
import { readCounts, statsOf } from './stats.ts';

/** What an append has to write. */
type Change = {
  readonly visitor: Visitor;
  readonly entries: readonly Entry[];
  /** Whether everything stored is removed first: the visitor has opted out, or in again. */
  readonly clears: boolean;
};

/** What an append has written. `waiting`: how many records the buffer then holds. */
export type Appended = {
  readonly visitor: Visitor;
  readonly entries: readonly StoredEntry[];
  readonly waiting: number;
  /** The records that were removed. */
  readonly cleared: readonly Entry[];
};

/** The browser's durable queue of records, one for all tabs, and the state beside it. */
export type RecordStore = {
  /**
   * Appends all entries or none, in order. `change` makes them for the stored visitor.
   * No other tab gets in between. Resolves once the entries are durable. `change` may be
   * called more than once.
   */
  append(change: (kept: Visitor) => Change): Promise<Appended>;
  /**
   * The oldest records, oldest first. They stay in the buffer.
   *
   * @param from the row to begin with
   * @param wanted is called with each record that is read, in order; it returns false for those to skip
   */
  peek(
    limit: number,
    from?: number,
    wanted?: (entry: StoredEntry) => boolean,
  ): Promise<readonly StoredEntry[]>;
  /**
   * Removes records and counts how they ended.
   * A record that is not there is not an error, and not counted. None is once the visitor has opted out. If a record was not delivered, the visitor's
   * reported fields are forgotten.
   */
  remove(entries: readonly StoredEntry[], endOf: (entry: Entry) => Disposition): Promise<void>;
  get(name: string): Promise<unknown>;
  /**
   * Replaces a value by what `change` makes of it, with no other tab in between. Resolves to the new value.
   * Once the visitor has opted out, perhaps in another tab, nothing is stored.
   */
  update<T>(name: string, change: (value: unknown) => T): Promise<T>;
};

/** The keys of the state beside the records. */
export const VISITOR = 'visitor';
export const COUNTS = 'counts';

/**
 * Records in one row.
 * A page that makes a thousand calls in one task pays for each row on its main thread. A row costs several
 * times as much as the records in it.
 */
const MAX_ROW = 25;

// A batch may fit into a few rows. Reading every row that might be needed would cost the
// page many times more.
const FEW_ROWS = 2;

// If few rows are not enough, so many times more are read: the second time, as many as a batch has records. Then
// most are skipped, and ten thousand rows must not take as many reads.
const MORE_ROWS = 12;

/** Appends what `change` makes for the stored visitor. */
async function append(
  objects: Objects,
  mustBeCurrent: () => void,
  change: (kept: Visitor) => Change,
): Promise<Appended> {
  const kept = objects.get(VISITOR);
  let counts = readCounts(await promisifyRequest(objects.get(COUNTS)));
  mustBeCurrent();
  const { visitor, entries, clears } = change(readVisitor(kept.result));
  let cleared: readonly Entry[] = [];
  if (clears) {
    cleared = (await promisifyRequest(objects.getAll(rowsAfter(0)))).flat();
    objects.clear();
    counts = bare({});
  }
  const rows: IDBRequest<IDBValidKey>[] = [];
  for (let from = 0; from < entries.length; from += MAX_ROW)
    rows[rows.length] = objects.put(entries.slice(from, from + MAX_ROW));
  counts = bare({ ...counts, tracked: (counts.tracked ?? 0) + entries.length });
  // Nothing is counted for a visitor who has opted out.
  if (entries.length > 0) objects.put(counts, COUNTS);
  // Only the last request: the others are done when it is.
  await promisifyRequest(objects.put(toStored(visitor), VISITOR));
  return {
    visitor,
    cleared,
    entries: entries.map((entry, at) =>
      bare({ ...entry, key: Number(rows[Math.floor(at / MAX_ROW)]?.result) }),
    ),
    waiting: statsOf(counts).buffered,
  };
}

/** Searches the rows from a key on for up to `limit` wanted entries. */
async function peek(
  objects: Objects,
  limit: number,
  from: number,
  wanted: (entry: StoredEntry) => boolean,
): Promise<readonly StoredEntry[]> {
  const found: StoredEntry[] = [];
  let key: IDBValidKey = from;
  let isOpen = false;
  for (let rows = FEW_ROWS; ; rows *= MORE_ROWS) {
    // Never all of them: a backlog of 10,000 must cost no more here than one of 10.
    const keys = objects.getAllKeys(rowsAfter(key, isOpen), rows);
    const read: readonly (readonly Entry[])[] = await promisifyRequest(
      objects.getAll(rowsAfter(key, isOpen), rows),
    );
    for (let at = 0; at < read.length; at++) {
      key = keys.result[at] ?? key;
      for (const entry of read[at] ?? []) {
        const stored = bare({ ...entry, key: Number(key) });
        if (found.length < limit && wanted(stored)) found.push(stored);
      }
    }
    isOpen = true;
    if (found.length === limit || read.length < rows) return found;
  }
}

/** Removes entries from their rows. */
async function remove(
  objects: Objects,
  mustBeCurrent: () => void,
  entries: readonly StoredEntry[],
  endOf: (entry: Entry) => Disposition,
): Promise<void> {
  const gone: { [id: string]: true } = bare({});
  const rows: { [key: number]: true } = bare({});
  for (const { id, key } of entries) {
    gone[id] = true;
    rows[key] = true;
  }
  const visitor = readVisitor(await promisifyRequest(objects.get(VISITOR)));
  const counts = readCounts(await promisifyRequest(objects.get(COUNTS)));
  mustBeCurrent();
  // Another tab may have opted out meanwhile.
  if (isOut(visitor)) return;
  for (const row in rows) {
    const key = Number(row);
    const left: Entry[] = [];
    for (const entry of (await promisifyRequest(objects.get(key))) ?? []) {
      if (!gone[entry.id]) left.push(entry);
      else {
        const end = endOf(entry);
        counts[end] = (counts[end] ?? 0) + 1;
        if (end !== 'delivered') objects.put({ ...visitor, reported: undefined }, VISITOR);
      }
    }
    if (left.length > 0) objects.put(left, key);
    else objects.delete(key);
  }
  objects.put(counts, COUNTS);
}

/** The buffer in an object store. */
export function recordStore(transact: Transact): RecordStore {
  return {
    append: (change) => transact('readwrite', (...on) => append(...on, change)),
    peek: (limit, from = 0, wanted = () => true) =>
      transact('readonly', (objects) => peek(objects, limit, from, wanted)),
    remove: (entries, endOf) => transact('readwrite', (...on) => remove(...on, entries, endOf)),
    get: (name) => transact('readonly', (objects) => promisifyRequest(objects.get(name))),
    update: (name, change) =>
      transact('readwrite', async (objects, mustBeCurrent) => {
        const visitor = objects.get(VISITOR);
        const kept = await promisifyRequest(objects.get(name));
        mustBeCurrent();
        const changed = change(kept);
        if (!isOut(readVisitor(visitor.result))) objects.put(changed, name);
        return changed;
      }),
  };
}
