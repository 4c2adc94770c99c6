/** The same without a prototype: what a page has put on `Object.prototype` is not read where a field is absent. */
export function bare<T extends object>(value: T): T {
  // `__proto__` in a literal is no field.
  return { __proto__: null, ...value } as T;
}

/** The fields of something that may be anything: any of them may be missing. */
export function ownFields<T extends object>(value: T | null | undefined): Partial<T> {
  return bare<Partial<T>>(value ?? {});
}
