import { apply, getPrototypeOf, hasOwn, sourceOf } from './built-ins.ts';

// A page's own classes have fewer ancestors. A proxy can have an endless chain of them.
const MAX_ANCESTORS = 16;

const isNative = (value: unknown): boolean => /\[native code/.test(apply(sourceOf, value, []));

/**
 * The `toJSON` that counts for a value: its own, its class's, or the platform's, such as a `URL`'s.
 * One that a page has added to the prototype of a built-in, as Prototype.js does, does not count.
 */
export function toJsonOf(value: unknown): (() => unknown) | undefined {
  const { toJSON } = value as { readonly toJSON?: () => unknown };
  if (typeof toJSON !== 'function') return undefined;
  let holder: unknown = value;
  for (let n = 0; holder && n < MAX_ANCESTORS; n++) {
    if (hasOwn(holder, 'toJSON'))
      return holder === value ||
        isNative(toJSON) ||
        !hasOwn(holder, 'constructor') ||
        !isNative(holder.constructor)
        ? toJSON
        : undefined;
    holder = getPrototypeOf(holder);
  }
  return undefined;
}
