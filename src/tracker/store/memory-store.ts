import { tabLock } from '../platform/tab-lock.ts';
import type { Objects, Transact } from './objects.ts';
import { type RecordStore, recordStore } from './record-store.ts';

// Far from any key of a database: records that were read from one before it broke are not to be taken for these.
const FIRST_KEY = 2 ** 50;

/** A request that is done: it calls back whoever begins to listen. */
function done(result: unknown) {
  return {
    result,
    set onsuccess(listener: () => void) {
      listener();
    },
  };
}

/** An object store for where IndexedDB is missing or broken: it works, and ends with the page. */
export function memoryTransact(): Transact {
  const values = new Map<IDBValidKey, unknown>();
  // Without locks of the browser: one transaction at a time within the page.
  const inTurn = tabLock('', undefined);
  let lastKey = FIRST_KEY;
  const column = (at: 0 | 1) => (range: IDBKeyRange, count?: number) =>
    done(
      [...values]
        .filter(([key]) => key > range.lower)
        .slice(0, count)
        .map((pair) => pair[at]),
    );
  const objects = {
    get: (key: IDBValidKey) => done(values.get(key)),
    put: (value: unknown, key: IDBValidKey = ++lastKey) => done(values.set(key, value) && key),
    delete: (key: IDBValidKey) => done(values.delete(key)),
    clear: () => done(values.clear()),
    getAll: column(1),
    getAllKeys: column(0),
  };
  // Of a request, only what `promisifyRequest` uses is there.
  return (_, operation) => inTurn(() => operation(objects as unknown as Objects));
}

export function memoryStore(): RecordStore {
  return recordStore(memoryTransact());
}
