import { promisifyRequest } from 'idb-keyval';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Entry, StoredEntry } from '../record/call.ts';
import { readReported, readVisitor } from '../record/visitor.ts';
import { openDatabase } from './database.ts';
import { COUNTS, counting, REPORTED, type RecordStore, VISITOR } from './record-store.ts';
import { statsOf } from './stats.ts';

/**
 * Records that lie in one row. A page that tracks a thousand times in one task pays for each row that it adds on its
 * main thread, several times what it pays for the records themselves.
 */
const MAX_ROW = 25;
const FEW_ROWS = 2;
// As many as hold a batch, be it of rows with one record each.
const MORE_ROWS = 25;
// Where even those are skipped: rows of ten thousand records must not take as many turns.
const MANY_ROWS = 250;

/** Some rows, oldest first, with the keys they lie under. */
async function readRows(store: IDBObjectStore, range: IDBKeyRange, limit?: number) {
  // Never `entries()`: a backlog of 10,000 must cost no more here than one of 10.
  const keys = store.getAllKeys(range, limit);
  const rows: readonly (readonly Entry[])[] = await promisifyRequest(store.getAll(range, limit));
  return rows.map((row, index) => ({ row, key: Number(keys.result[index]) }));
}

function recordsIn(rows: Awaited<ReturnType<typeof readRows>>): readonly StoredEntry[] {
  return rows.flatMap(({ row, key }) => row.map((entry) => ({ ...entry, key })));
}

/** Storage in one IndexedDB database. Its promises reject where the database does. */
export function indexedDbStore(name: string): RecordStore {
  const useStore = openDatabase(name);
  /** One transaction, begun now, and over when the promise resolves. */
  const write = <T>(change: (store: IDBObjectStore) => Promise<T>): Promise<T> =>
    useStore('readwrite', async (store) => {
      const { transaction } = store;
      let changed: T;
      try {
        changed = await change(store);
      } catch (error) {
        // All or none: what was written before the fault would otherwise be committed.
        tryOrUndefined(() => transaction.abort());
        throw error;
      }
      // Explicitly: left to itself the commit waits for another turn, which a page that is being left may not get.
      transaction.commit?.();
      await promisifyRequest(transaction);
      return changed;
    });

  return {
    append: (change) =>
      write(async (store) => {
        const [visitor, counts] = [store.get(VISITOR), store.get(COUNTS)];
        const reported = readReported(await promisifyRequest(store.get(REPORTED)));
        const kept = { visitor: readVisitor(visitor.result), reported };
        const changed = change(kept);
        const { entries, clears } = changed;
        const cleared = clears ? recordsIn(await readRows(store, IDBKeyRange.bound(0, ''))) : [];
        if (clears) store.clear();

        const keys: IDBRequest<IDBValidKey>[] = [];
        for (let from = 0; from < entries.length; from += MAX_ROW)
          keys[keys.length] = store.add(entries.slice(from, from + MAX_ROW));
        if (changed.visitor !== kept.visitor) store.put(changed.visitor, VISITOR);
        if (changed.reported !== reported) store.put(changed.reported, REPORTED);
        const after = counting(clears ? {} : counts.result, 'tracked', entries.length);
        if (entries.length > 0) await promisifyRequest(store.put(after, COUNTS));
        return {
          visitor: changed.visitor,
          entries: entries.map((entry, at) => ({
            ...entry,
            key: Number(keys[Math.floor(at / MAX_ROW)]?.result),
          })),
          waiting: statsOf(after).buffered,
          cleared,
        };
      }),

    peek: (limit, from = 0, wanted = () => true) =>
      useStore('readonly', async (store) => {
        const found: StoredEntry[] = [];
        // A few rows may hold enough, and reading all that might be needed would cost the page as many times more.
        let count = FEW_ROWS;
        // The rows' keys are numbers; the names of state, being strings, sort after all of them.
        let range = IDBKeyRange.bound(from, '');
        while (found.length < limit) {
          const rows = await readRows(store, range, count);
          for (const entry of recordsIn(rows)) if (wanted(entry)) found.push(entry);
          const last = rows[count - 1];
          if (!last) break;
          range = IDBKeyRange.bound(last.key, '', true);
          count = count < MORE_ROWS ? MORE_ROWS : MANY_ROWS;
        }
        return found.slice(0, limit);
      }),

    remove: (entries, end) =>
      write(async (store) => {
        const [first, last] = [entries[0], entries[entries.length - 1]];
        if (!first || !last) return;
        const gone = new Set(entries.map(({ id }) => id));
        let removed = 0;
        // Oldest first, as they were read.
        for (const { row, key } of await readRows(store, IDBKeyRange.bound(first.key, last.key))) {
          const left = row.filter(({ id }) => !gone.has(id));
          removed += row.length - left.length;
          if (left.length === 0) store.delete(key);
          else if (left.length < row.length) store.put(left, key);
        }
        store.put(counting(await promisifyRequest(store.get(COUNTS)), end, removed), COUNTS);
      }),
    get: (key) => useStore('readonly', (store) => promisifyRequest(store.get(key))),
    update: (key, change) =>
      write(async (store) => {
        const changed = change(await promisifyRequest(store.get(key)));
        store.put(changed, key);
        return changed;
      }),
  };
}
