import { tabLock } from '../platform/tab-lock.ts';
import { keys } from '../record/built-ins.ts';
import { bare } from '../record/own-fields.ts';
import type { Connection, Objects } from './objects.ts';
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
export function memoryTransact(): Connection {
  // Its keys are in the order in which they were added: they are too large for those that a script engine sorts.
  let values: { [key: string]: unknown } = bare({});
  // Without locks of the browser: one transaction at a time within the page.
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
  // Of a request, only what `promisifyRequest` uses is there.
  return (_, operation) => inTurn(() => operation(objects as unknown as Objects));
}

export function memoryStore(): RecordStore {
  const transact = memoryTransact();
  return recordStore((mode, operation) => transact(mode, (objects) => operation(objects, () => {})));
}
