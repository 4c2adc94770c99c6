import { promisifyRequest, type UseStore } from 'idb-keyval';

/** The one store of the database. */
export const STORE = 'records';

/**
 * One IndexedDB database as an idb-keyval store, opened now and kept open.
 * One that is closed under us stays closed, and says so to its user.
 *
 * idb-keyval's own `createStore` makes a store without a key generator; ours has one, so that records get growing keys
 * with no read before the write. State lies beside the records, under names: strings sort after all numbers.
 */
export function openDatabase(name: string): UseStore {
  async function connect(): Promise<IDBDatabase> {
    // Without a version: a database that a newer release has made opens too, and its records stay in reach.
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { autoIncrement: true });
    const database = await promisifyRequest(request);
    // Another tab deletes or upgrades: standing in its way would block it for ever.
    database.onversionchange = () => database.close();
    return database;
  }

  const connection = connect();
  connection.catch(() => {}); // Its user is told; there may be none for a while.
  return async (mode, use) => use((await connection).transaction(STORE, mode).objectStore(STORE));
}
