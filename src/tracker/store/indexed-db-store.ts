import { promisifyRequest } from 'idb-keyval';
import { openDatabase } from './database.ts';
import { type BufferedRecord, COUNTS, counting, type Entry, type Storage, waiting } from './record-store.ts';

/**
 * Records that lie in one row. A page that tracks a thousand times in one task pays for each row that it adds on its
 * main thread, several times what it pays for the records themselves.
 */
const MAX_ROW = 25;
const FEW_ROWS = 2;
// As many as hold a batch, be it of rows with one record each.
const MORE_ROWS = 25;
// Where even those are passed over: rows of ten thousand records must not take as many turns.
const MANY_ROWS = 250;

type Row = readonly Entry[];

function addAll(store: IDBObjectStore, entries: readonly Entry[]): IDBRequest<IDBValidKey>[] {
  try {
    return entries.flatMap((_, from) =>
      from % MAX_ROW === 0 ? store.add(entries.slice(from, from + MAX_ROW)) : [],
    );
  } catch (error) {
    // All or none: what was added before the one that can't be would otherwise be committed.
    store.transaction.abort();
    throw error;
  }
}

/** Some rows, oldest first, and the keys they lie under. */
async function readRows(store: IDBObjectStore, range: IDBKeyRange, limit?: number) {
  // Never `entries()`: a backlog of 10,000 must cost no more here than one of 10.
  const keys = store.getAllKeys(range, limit);
  const rows = (await promisifyRequest(store.getAll(range, limit))) as Row[];
  return rows.map((row, index) => ({ row, key: Number(keys.result[index]) }));
}

function recordsIn(rows: Awaited<ReturnType<typeof readRows>>): readonly BufferedRecord[] {
  return rows.flatMap(({ row, key }) => row.map((entry) => ({ ...entry, key })));
}

/** Storage in one IndexedDB database. Its promises reject where the database does. */
export function indexedDbStorage(name: string): Storage {
  const useStore = openDatabase(name);
  /** One transaction, begun now, and over when the promise resolves. */
  const write = <T>(change: (store: IDBObjectStore) => Promise<T>): Promise<T> =>
    useStore('readwrite', async (store) => {
      const changed = await change(store);
      // Explicitly: left to itself the commit waits for another turn, which a page that is being left may not get.
      store.transaction.commit?.();
      await promisifyRequest(store.transaction);
      return changed;
    });
  const change = async <T>(store: IDBObjectStore, key: string, by: (value: unknown) => T): Promise<T> => {
    const changed = by(await promisifyRequest(store.get(key)));
    store.put(changed, key);
    return changed;
  };

  return {
    append: (entries) =>
      write(async (store) => {
        const adding = addAll(store, entries);
        const counts = await change(store, COUNTS, counting('made', entries.length));
        const records = entries.map((entry, index) => ({
          ...entry,
          key: Number(adding[Math.floor(index / MAX_ROW)]?.result),
        }));
        return { records, waiting: waiting(counts) };
      }),

    peek: (limit, from = 0, wanted = () => true) =>
      useStore('readonly', async (store) => {
        const found: BufferedRecord[] = [];
        // A few rows may hold enough, and reading all that might be needed would cost the page as many times more.
        let count = FEW_ROWS;
        // The rows' keys are numbers; the names of state, being strings, sort after all of them.
        let range = IDBKeyRange.bound(from, '');
        while (found.length < limit) {
          const rows = await readRows(store, range, count);
          found.push(...recordsIn(rows).filter(wanted));
          const last = rows[count - 1];
          if (!last) break;
          range = IDBKeyRange.bound(last.key, '', true);
          count = count < MORE_ROWS ? MORE_ROWS : MANY_ROWS;
        }
        return found.slice(0, limit);
      }),

    remove: (records, end) =>
      write(async (store) => {
        if (records.length === 0) return;
        const gone = new Set(records.map(({ record }) => record.id));
        const keys = records.map(({ key }) => key);
        const range = IDBKeyRange.bound(Math.min(...keys), Math.max(...keys));
        let removed = 0;
        for (const { row, key } of await readRows(store, range)) {
          const left = row.filter(({ record }) => !gone.has(record.id));
          removed += row.length - left.length;
          if (left.length === 0) store.delete(key);
          else if (left.length < row.length) store.put(left, key);
        }
        await change(store, COUNTS, counting(end, removed));
      }),
    clear: async () => {
      // First what is in it: a page that the browser has frozen holds on to the database itself.
      await write(async (store) => store.clear());
      await promisifyRequest(indexedDB.deleteDatabase(name));
    },
    get: (key) => useStore('readonly', (store) => promisifyRequest(store.get(key))),
    update: (key, by) => write((store) => change(store, key, by)),
  };
}
