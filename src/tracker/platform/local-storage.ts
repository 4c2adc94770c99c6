import { attempt } from './try-or-undefined.ts';

/** The page's synchronous storage: what is written is there, whatever becomes of the page. Never throws. */
export type PageStorage = {
  readonly keys: () => readonly string[];
  /** Undefined where there is nothing, or nothing that can be read. */
  readonly get: (key: string) => unknown;
  /** False where there is no room, or no storage. */
  readonly set: (key: string, value: unknown) => boolean;
  readonly remove: (key: string) => void;
};

/** `localStorage`, as JSON. It may be missing, denied, full or spoilt: whoever asks does without. Workers have none, and in a sandboxed frame the mere look at it throws. */
export const localPageStorage: PageStorage = {
  keys: () => attempt(() => Object.keys(localStorage)) ?? [],
  get: (key) => attempt(() => JSON.parse(localStorage.getItem(key) ?? '')),
  set: (key, value) => attempt(() => localStorage.setItem(key, JSON.stringify(value)) ?? true) ?? false,
  remove: (key) => attempt(() => localStorage.removeItem(key)),
};
