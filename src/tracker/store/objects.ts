/**
 * What the store needs of an IndexedDB object store.
 * Records are in rows under growing numbers. State is beside them under names: strings sort
 * after all numbers.
 */
export type Objects = Pick<IDBObjectStore, 'get' | 'getAll' | 'getAllKeys' | 'put' | 'delete' | 'clear'>;

/**
 * The work of one transaction. It calls `mustBeCurrent` before it writes, which throws if the
 * transaction was given up.
 */
type Operation<T> = (objects: Objects, mustBeCurrent: () => void) => Promise<T>;

/** Runs one transaction, which writes everything or nothing. Resolves once that is durable. */
export type Transact = <T>(mode: IDBTransactionMode, operation: Operation<T>) => Promise<T>;

/** A connection to a database. */
export type Connection = <T>(
  mode: IDBTransactionMode,
  operation: (objects: Objects) => Promise<T>,
) => Promise<T>;

/** The rows after a key, or from it on if `isOpen` is false. */
export function rowsAfter(key: IDBValidKey, isOpen = true): IDBKeyRange {
  // Without IndexedDB, the memory store reads only these two fields.
  return globalThis.IDBKeyRange?.bound(key, '', isOpen) ?? { lower: key, lowerOpen: isOpen };
}
