import type { BufferedRecord, Storage } from './buffer.ts';

/** Storage for where IndexedDB is missing or broken: it works, and ends with the page. */
export function memoryStorage(): Storage {
  let waiting: BufferedRecord[] = [];
  let lastKey = 0;
  const state = new Map<string, unknown>();

  return {
    buffer: {
      async append(entries) {
        const records = entries.map((entry) => ({ ...entry, key: ++lastKey }));
        waiting.push(...records);
        return { records, waiting: waiting.length };
      },
      async peek(limit) {
        return waiting.slice(0, limit);
      },
      async remove(keys) {
        const gone = new Set(keys);
        waiting = waiting.filter(({ key }) => !gone.has(key));
      },
    },
    state: {
      async get(name) {
        return state.get(name);
      },
      async update(name, change) {
        const value = change(state.get(name));
        state.set(name, value);
        return value;
      },
    },
  };
}
