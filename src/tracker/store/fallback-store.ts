import { memoryStore } from './memory-store.ts';
import type { RecordStore } from './record-store.ts';

/** The promise's own end, or a rejection where it does not settle in time. */
export type Timeout = <T>(promise: Promise<T>, afterMs: number) => Promise<T>;

// Some browsers never answer an `open()`. https://bugs.webkit.org/show_bug.cgi?id=226547
export const HUNG_AFTER_MS = 2_000;

/**
 * A durable store that never fails, opened with the first operation: a failing operation is tried once more on a new connection,
 * and after that memory takes over for the rest of the page's life.
 *
 * @param open opens the durable store; throws or rejects where there is none
 * @param tellDegraded is called once, when records no longer outlive the page
 */
export function withFallback(
  open: () => RecordStore,
  timeout: Timeout,
  tellDegraded: (why: unknown) => void,
): RecordStore {
  let current: Promise<RecordStore> | undefined;
  let failures = 0;
  let isMemory = false;
  // Async, for an `open` that throws.
  const connect = async () => open();
  /** @param operation must change nothing once it is told that its connection was given up: it would be done twice */
  async function attempt<T>(
    operation: (store: RecordStore, mustBeCurrent: () => void) => Promise<T>,
  ): Promise<T> {
    current ??= connect();
    const used = current;
    const mustBeCurrent = () => {
      if (used !== current) throw new Error('the connection was given up');
    };
    try {
      const result = await timeout(
        used.then((store) => operation(store, mustBeCurrent)),
        HUNG_AFTER_MS,
      );
      if (used === current) failures = 0;
      return result;
    } catch (why) {
      // The first of those that wait for a broken connection replaces it, and the others follow in their order.
      if (used === current) {
        // Memory does not fail by itself, and there is nothing else to try.
        if (isMemory) throw why;
        failures += 1;
        isMemory = failures > 1;
        if (isMemory) tellDegraded(why);
        current = isMemory ? Promise.resolve(memoryStore()) : connect();
      }
      return attempt(operation);
    }
  }

  return {
    append: (change) =>
      attempt((store, mustBeCurrent) =>
        store.append((kept) => {
          mustBeCurrent();
          return change(kept);
        }),
      ),
    peek: (...which) => attempt((store) => store.peek(...which)),
    remove: (entries, end) => attempt((store) => store.remove(entries, end)),
    get: (name) => attempt((store) => store.get(name)),
    update: (name, change) => attempt((store) => store.update(name, change)),
  };
}
