import { assign, create } from './built-ins.ts';

// Not null itself: engines make objects without a prototype slow.
const NOTHING = { __proto__: null };

/**
 * A copy without a prototype: an absent field is not read from what a page has added to `Object.prototype`.
 */
export function bare<T extends object>(value: T): T {
  return assign(create(NOTHING), value);
}

/** The own fields of any value. Each of them may be missing. */
export function ownFields<T extends object>(value: T | null | undefined): Partial<T> {
  return bare<Partial<T>>(value ?? {});
}
