import type { BufferedRecord, Storage } from './buffer.ts';

/** Storage for where IndexedDB is missing or broken: it works, and ends with the page. */
export function memoryStorage(): Storage {
  let waiting: BufferedRecord[] = [];
  let lastKey = 0;
  const state = new Map<string, unknown>();

  return {
    buffer: {
      async append(entries) {
        for (const entry of entries) waiting.push({ ...entry, key: ++lastKey });
        return waiting.length;
      },
      async count() {
        return waiting.length;
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
