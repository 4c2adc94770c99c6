/** The fields of an object without a prototype: names that a page has put on `Object.prototype` mean nothing. */
export function ownFields<T extends object>(value: T | null | undefined): Partial<T> {
  const fields: object = { __proto__: null, ...value };
  // The same fields; `__proto__` in a literal is none.
  return fields;
}
