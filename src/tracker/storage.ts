import type { Storage } from './buffer.ts';

/** The promise's own end, or a rejection where it does not settle in time. */
export type Timeout = <T>(promise: Promise<T>, afterMs: number) => Promise<T>;

export type StoragePorts = {
  /** Opens the durable storage; throws or rejects where there is none. */
  readonly open: () => Storage;
  readonly fallback: () => Storage;
  readonly timeout: Timeout;
  /** Called once, when records no longer outlive the page. */
  readonly tellDegraded: (why: unknown) => void;
};

// Some browsers never answer an `open()`. https://bugs.webkit.org/show_bug.cgi?id=226547
const HUNG_AFTER_MS = 2_000;

/**
 * Durable storage that never fails: a failing operation is tried once more on a new connection,
 * and after that memory takes over for the rest of the page's life.
 */
export function dependableStorage({ open, fallback, timeout, tellDegraded }: StoragePorts): Storage {
  const degrade = (why: unknown): Storage => {
    tellDegraded(why);
    return fallback();
  };
  const openOr = (otherwise: (why: unknown) => Storage): Storage => {
    try {
      return open();
    } catch (why) {
      return otherwise(why);
    }
  };

  let current = openOr(degrade);
  let reopened = false;

  async function attempt<T>(operation: (storage: Storage) => Promise<T>): Promise<T> {
    const used = current;
    try {
      const result = await timeout(operation(used), HUNG_AFTER_MS);
      if (used === current) reopened = false;
      return result;
    } catch (why) {
      // Whoever fails first changes the storage; those who failed along with it try the new one.
      if (used === current) current = reopened ? degrade(why) : openOr(degrade);
      reopened = true;
      return attempt(operation);
    }
  }

  return {
    buffer: {
      append: (entries) => attempt(({ buffer }) => buffer.append(entries)),
      peek: (limit) => attempt(({ buffer }) => buffer.peek(limit)),
      remove: (keys) => attempt(({ buffer }) => buffer.remove(keys)),
    },
    state: {
      get: (name) => attempt(({ state }) => state.get(name)),
      update: (name, change) => attempt(({ state }) => state.update(name, change)),
    },
  };
}
