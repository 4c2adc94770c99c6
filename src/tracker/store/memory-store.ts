import type { StoredEntry } from '../record/call.ts';
import { readReported, readVisitor } from '../record/visitor.ts';
import { COUNTS, counting, REPORTED, type RecordStore, VISITOR } from './record-store.ts';
import { statsOf } from './stats.ts';

// Far from any key of a database: records that were read from one before it broke are not to be taken for these.
const FIRST_KEY = 2 ** 50;

/** Storage for where IndexedDB is missing or broken: it works, and ends with the page. */
export function memoryStore(): RecordStore {
  let buffered: readonly StoredEntry[] = [];
  let lastKey = FIRST_KEY;
  const state = new Map<string, unknown>();
  const count = (what: Parameters<typeof counting>[1], by: number) =>
    state.set(COUNTS, counting(state.get(COUNTS), what, by));

  return {
    async append(change) {
      const { entries, visitor, reported, clears } = change({
        visitor: readVisitor(state.get(VISITOR)),
        reported: readReported(state.get(REPORTED)),
      });
      const cleared = clears ? buffered : [];
      if (clears) {
        buffered = [];
        state.clear();
      }
      state.set(VISITOR, visitor).set(REPORTED, reported);
      const stored = entries.map((entry) => ({ ...entry, key: ++lastKey }));
      buffered = [...buffered, ...stored];
      count('tracked', stored.length);
      return { visitor, entries: stored, waiting: statsOf(state.get(COUNTS)).buffered, cleared };
    },
    async peek(limit, from = 0, wanted = () => true) {
      return buffered.filter((entry) => entry.key >= from && wanted(entry)).slice(0, limit);
    },
    async remove(entries, end) {
      const gone = new Set(entries.map(({ key }) => key));
      const left = buffered.filter(({ key }) => !gone.has(key));
      count(end, buffered.length - left.length);
      buffered = left;
    },
    async get(name) {
      return state.get(name);
    },
    async update(name, change) {
      const changed = change(state.get(name));
      state.set(name, changed);
      return changed;
    },
  };
}
