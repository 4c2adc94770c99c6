// Built-ins as they were when the script loaded: a page may replace them later.
const { apply } = Reflect;
const { getPrototypeOf, hasOwn } = Object;
const { toString: sourceOf } = Function.prototype;

// A page's own classes have fewer ancestors, and a proxy can have them without end.
const MAX_ANCESTORS = 16;

const isNative = (value: unknown): boolean => /\[native code/.test(apply(sourceOf, value, []));

/**
 * The `toJSON` that counts for an object: its own, its class's, or one of the platform, as a `URL` has. One that a page
 * added to the prototype of a built-in, as Prototype.js does, does not count.
 */
export function toJsonOf(value: object): (() => unknown) | undefined {
  const { toJSON } = value as { readonly toJSON?: () => unknown };
  if (typeof toJSON !== 'function') return undefined;
  let holder: object | null = value;
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
