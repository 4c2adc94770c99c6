import { type BufferedRecord, COUNTS, counting, type Storage, waiting } from './record-store.ts';

// Far from any key of a database: records that were read from one before it broke are not to be taken for these.
const FIRST_KEY = 2 ** 50;

/** Storage for where IndexedDB is missing or broken: it works, and ends with the page. */
export function memoryStorage(): Storage {
  let buffered: readonly BufferedRecord[] = [];
  let lastKey = FIRST_KEY;
  const state = new Map<string, unknown>();
  const update = <T>(name: string, change: (value: unknown) => T): T => {
    const value = change(state.get(name));
    state.set(name, value);
    return value;
  };

  return {
    async append(entries) {
      const records = entries.map((entry) => ({ ...entry, key: ++lastKey }));
      buffered = [...buffered, ...records];
      return {
        records,
        waiting: waiting(update(COUNTS, counting('made', records.length))),
      };
    },
    async peek(limit, from = 0, wanted = () => true) {
      const found: BufferedRecord[] = [];
      for (const record of buffered) {
        if (found.length >= limit) break;
        if (record.key >= from && wanted(record)) found.push(record);
      }
      return found;
    },
    async remove(records, end) {
      const gone = new Set(records.map(({ key }) => key));
      const left = buffered.filter(({ key }) => !gone.has(key));
      update(COUNTS, counting(end, buffered.length - left.length));
      buffered = left;
    },
    async clear() {
      buffered = [];
      state.clear();
    },
    async get(name) {
      return state.get(name);
    },
    async update(name, change) {
      return update(name, change);
    },
  };
}
