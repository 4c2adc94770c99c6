/**
 * What the store asks of an IndexedDB object store. Records lie in rows under growing numbers; state lies beside them,
 * under names: strings sort after all numbers.
 */
export type Objects = Pick<IDBObjectStore, 'get' | 'getAll' | 'getAllKeys' | 'put' | 'delete' | 'clear'>;

/** Runs one transaction: all of what it writes, or nothing. Resolves once that is durable. */
export type Transact = <T>(
  mode: IDBTransactionMode,
  operation: (objects: Objects) => Promise<T>,
) => Promise<T>;

/** The rows after a key. */
export function rowsAfter(key: IDBValidKey): IDBKeyRange {
  // Where there is no IndexedDB, memory looks at nothing but `lower`.
  return globalThis.IDBKeyRange?.bound(key, '', true) ?? { lower: key };
}
