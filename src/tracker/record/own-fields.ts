/**
 * A copy without a prototype: an absent field is not read from what a page has added to `Object.prototype`.
 */
export function bare<T extends object>(value: T): T {
  // In a literal, `__proto__` sets the prototype and is not a field. It comes last: engines make objects that begin
  // with it slow.
  return { ...value, __proto__: null } as T;
}

/** The own fields of any value. Each of them may be missing. */
export const ownFields: <T extends object>(value: T | null | undefined) => Partial<T> = bare as never;
