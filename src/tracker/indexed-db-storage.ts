import { promisifyRequest } from 'idb-keyval';
import type { Entry, Storage } from './buffer.ts';
import { openDatabase } from './database.ts';

// The records' keys are numbers; the names of state, being strings, sort after all of them.
const allRecords = () => IDBKeyRange.upperBound('');

function addAll(store: IDBObjectStore, entries: readonly Entry[]): IDBRequest<IDBValidKey>[] {
  try {
    return entries.map((entry) => store.add(entry));
  } catch (error) {
    // All or none: what was added before the one that can't be would otherwise be committed.
    store.transaction.abort();
    throw error;
  }
}

/** Storage in one IndexedDB database. Its promises reject where the database does. */
export function indexedDbStorage(name: string): Storage {
  const useStore = openDatabase(name);

  return {
    buffer: {
      append: (entries) =>
        useStore('readwrite', async (store) => {
          const adding = addAll(store, entries);
          const counting = store.count(allRecords());
          // Explicitly, in the task of the calls: left to itself the commit waits for another turn, which a page that
          // is being left may not get.
          store.transaction.commit?.();
          await promisifyRequest(store.transaction);
          const records = entries.map((entry, index) => ({ ...entry, key: Number(adding[index]?.result) }));
          return { records, waiting: counting.result };
        }),

      peek: (limit) =>
        useStore('readonly', async (store) => {
          // Never `entries()`: a backlog of 10,000 must cost no more here than one of 10.
          const [keys, entries] = await Promise.all([
            promisifyRequest<IDBValidKey[]>(store.getAllKeys(allRecords(), limit)),
            promisifyRequest<Entry[]>(store.getAll(allRecords(), limit)),
          ]);
          return keys.flatMap((key, index) => {
            const entry = entries[index];
            return entry === undefined ? [] : [{ ...entry, key: Number(key) }];
          });
        }),

      remove: (keys) =>
        useStore('readwrite', async (store) => {
          for (const key of keys) store.delete(key);
          store.transaction.commit?.();
          await promisifyRequest(store.transaction);
        }),
    },
    state: {
      get: (key) => useStore('readonly', (store) => promisifyRequest(store.get(key))),
      update: (key, change) =>
        useStore('readwrite', async (store) => {
          const changed = change(await promisifyRequest(store.get(key)));
          store.put(changed, key);
          await promisifyRequest(store.transaction);
          return changed;
        }),
    },
  };
}
