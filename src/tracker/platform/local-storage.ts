import { tryOrUndefined } from './try-or-undefined.ts';

/** The page's synchronous storage: what is written survives the page. Never throws. */
export type PageStorage = {
  readonly keys: () => readonly string[];
  /** Null if there is no value; undefined if the storage can't be read. */
  readonly get: (key: string) => string | null | undefined;
  /** False if there is no room, or no storage. Then nothing is stored there: an old value would be wrong. */
  readonly set: (key: string, text: string) => boolean;
  readonly remove: (key: string) => void;
};

function remove(key: string): undefined {
  tryOrUndefined(() => localStorage.removeItem(key));
}

/**
 * `localStorage`. It may be missing, denied or full: its users do without.
 * Workers have none, and in a sandboxed frame the mere access throws.
 */
export const localPageStorage: PageStorage = {
  keys: () => tryOrUndefined(() => Object.keys(localStorage)) ?? [],
  get: (key) => tryOrUndefined(() => localStorage.getItem(key)),
  set: (key, text) => tryOrUndefined(() => localStorage.setItem(key, text) ?? true) ?? !!remove(key),
  remove,
};
