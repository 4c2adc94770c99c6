import { promisifyRequest, type UseStore } from 'idb-keyval';

/** The one store of the database. */
export const STORE = 'records';

/**
 * One IndexedDB database as an idb-keyval store, opened now and kept open.
 * One that is closed under us stays closed, and says so to whoever uses it.
 *
 * idb-keyval's own `createStore` makes a store without a key generator; ours has one, so that records get growing keys
 * with no read before the write, and a task's records can be committed in that task. State lies beside the records,
 * under names: strings sort after all numbers.
 */
export function openDatabase(name: string): UseStore {
  async function connect(): Promise<IDBDatabase> {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { autoIncrement: true });
    const database = await promisifyRequest(request);
    // Another tab deletes or upgrades: standing in its way would block it for ever.
    database.onversionchange = () => database.close();
    return database;
  }

  const connection = connect();
  connection.catch(() => {}); // Whoever uses it is told; it may be nobody for a while.
  return async (mode, use) => use((await connection).transaction(STORE, mode).objectStore(STORE));
}
