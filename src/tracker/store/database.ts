import { promisifyRequest } from 'idb-keyval';
import type { Timeout } from '../platform/time.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import { bare } from '../record/own-fields.ts';
import { memoryTransact } from './memory-store.ts';
import type { Connection, Transact } from './objects.ts';

/** The one object store of the database. */
export const STORE = 'records';

// Some browsers never answer an `open()`. https://bugs.webkit.org/show_bug.cgi?id=226547
export const HUNG_AFTER_MS = 2_000;

/**
 * Opens a database and keeps it open. If something else closes it, it stays closed: its transactions reject.
 */
export async function connect(name: string): Promise<Connection> {
  // Without a version: a database that a newer release has created opens too, and its records stay in reach.
  const request = indexedDB.open(name);
  // With a key generator: records get growing keys without a read before the write.
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, bare({ autoIncrement: true }));
  const database = await promisifyRequest(request);
  // Another tab deletes or upgrades the database. An open connection would block it forever.
  database.onversionchange = () => database.close();

  return async (mode, operation) => {
    const transaction = database.transaction(STORE, mode);
    try {
      const result = await operation(transaction.objectStore(STORE));
      // Explicitly: otherwise the commit waits for another task, which an unload may not get.
      transaction.commit?.();
      await promisifyRequest(transaction);
      return result;
    } catch (error) {
      // All or nothing: otherwise what was written before the error would be committed.
      tryOrUndefined(() => transaction.abort());
      throw error;
    }
  };
}

/**
 * A database that falls back to memory, opened with the first transaction.
 * A transaction that fails is tried once more on a new connection. After that, memory takes over for the rest
 * of the page's life.
 *
 * @param open connects; rejects if there is no database
 * @param reportDegraded is called once, when records no longer outlive the page
 */
export function openDatabase(
  open: () => Promise<Connection>,
  timeout: Timeout,
  reportDegraded: (why: unknown) => void,
): Transact {
  let connection: Promise<Connection> | undefined;
  let failures = 0;
  let isMemory = false;

  return async function attempt(mode, operation) {
    connection ??= open();
    const used = connection;
    try {
      const result = await timeout(
        used.then((transact) =>
          transact(mode, (objects) =>
            operation(objects, () => {
              // The operation was retried on another connection, and would be done twice.
              if (used !== connection) throw new Error('given up');
            }),
          ),
        ),
        HUNG_AFTER_MS,
      );
      if (used === connection) failures = 0;
      return result;
    } catch (why) {
      // The first transaction on a broken connection replaces it, and the others follow in their order.
      if (used === connection) {
        // Memory does not fail by itself, and there is nothing else to try.
        if (isMemory) throw why;
        connection = undefined;
        if (failures++) {
          isMemory = true;
          reportDegraded(why);
          connection = Promise.resolve(memoryTransact());
        }
      }
      return attempt(mode, operation);
    }
  };
}
