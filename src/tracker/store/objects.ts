/**
 * What the store asks of an IndexedDB object store. Records lie in rows under growing numbers; state lies beside them,
 * under names: strings sort after all numbers.
 */
export type Objects = Pick<IDBObjectStore, 'get' | 'getAll' | 'getAllKeys' | 'put' | 'delete' | 'clear'>;

/** What one transaction does. To be asked before it writes: `mustBeCurrent` throws once the transaction was given up. */
type Operation<T> = (objects: Objects, mustBeCurrent: () => void) => Promise<T>;

/** Runs one transaction: all of what it writes, or nothing. Resolves once that is durable. */
export type Transact = <T>(mode: IDBTransactionMode, operation: Operation<T>) => Promise<T>;

/** A connection to a database. */
export type Connection = <T>(
  mode: IDBTransactionMode,
  operation: (objects: Objects) => Promise<T>,
) => Promise<T>;

/** The rows from a key on, or after it. */
export function rowsAfter(key: IDBValidKey, isOpen = true): IDBKeyRange {
  // Where there is no IndexedDB, memory looks at nothing but these.
  return globalThis.IDBKeyRange?.bound(key, '', isOpen) ?? { lower: key, lowerOpen: isOpen };
}
