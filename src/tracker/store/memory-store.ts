import { tabLock } from '../platform/tab-lock.ts';
import { keys } from '../record/built-ins.ts';
import { bare } from '../record/own-fields.ts';
import type { Connection, Objects } from './objects.ts';
import { type RecordStore, recordStore } from './record-store.ts';

// Far above any key of a database: records that were read from one before it broke must not
// be taken for these.
const FIRST_KEY = 2 ** 50;

/** A request that is done: it calls its listener at once. */
function done(result: unknown) {
  return {
    result,
    set onsuccess(listener: () => void) {
      listener();
    },
  };
}

/** An object store for when IndexedDB is missing or broken. Its contents end with the page. */
export function memoryTransact(): Connection {
  // Its keys are in insertion order: they are too large for script engines to sort.
  let values: { [key: string]: unknown } = bare({});
  // No browser lock is needed: one transaction at a time within the page.
  const inTurn = tabLock('', undefined);
  let lastKey = FIRST_KEY;
  const keysIn = ({ lower, lowerOpen }: IDBKeyRange, count?: number) =>
    keys(values)
      .map(Number)
      .filter((key) => key > lower || (key === lower && !lowerOpen))
      .slice(0, count);
  const objects = {
    get: (key: string) => done(values[key]),
    put: (value: unknown, key: string | number = ++lastKey) => {
      values[key] = value;
      return done(key);
    },
    delete: (key: string) => done(delete values[key]),
    clear: () => {
      values = bare({});
      return done(undefined);
    },
    getAll: (...range: Parameters<typeof keysIn>) => done(keysIn(...range).map((key) => values[key])),
    getAllKeys: (...range: Parameters<typeof keysIn>) => done(keysIn(...range)),
  };
  // A request has only what `promisifyRequest` uses.
  return (_, operation) => inTurn(() => operation(objects as unknown as Objects));
}

export function memoryStore(): RecordStore {
  const transact = memoryTransact();
  return recordStore((mode, operation) => transact(mode, (objects) => operation(objects, () => {})));
}
