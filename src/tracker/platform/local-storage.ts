import { tryOrUndefined } from './try-or-undefined.ts';

/** The page's synchronous storage: what is written is there, whatever becomes of the page. Never throws. */
export type PageStorage = {
  readonly keys: () => readonly string[];
  /** Null or undefined where there is nothing, or nothing can be read. */
  readonly get: (key: string) => string | null | undefined;
  /** False where there is no room, or no storage. */
  readonly set: (key: string, text: string) => boolean;
  readonly remove: (key: string) => void;
};

/**
 * `localStorage`. It may be missing, denied or full: its users do without. Workers have none, and in a sandboxed frame
 * the mere look at it throws.
 */
export const localPageStorage: PageStorage = {
  keys: () => tryOrUndefined(() => Object.keys(localStorage)) ?? [],
  get: (key) => tryOrUndefined(() => localStorage.getItem(key)),
  set: (key, text) => tryOrUndefined(() => localStorage.setItem(key, text) ?? true) ?? false,
  remove: (key) => tryOrUndefined(() => localStorage.removeItem(key)),
};
