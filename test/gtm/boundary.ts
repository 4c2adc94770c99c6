/** What comes through the sandbox's wall: Google copies in depth both ways, so that nothing is shared. */
type Plain = { [name: string]: unknown };

function isPlain(value: object): value is Plain {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * A copy of a value of the page for the sandbox, or of the sandbox for the page. A function is called through the wall.
 * Anything else, as a `Date` or a promise, has no type in the sandbox.
 */
export function throughWall(value: unknown): unknown {
  if (typeof value === 'function')
    return (...given: unknown[]) => throughWall(value(...given.map(throughWall)));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(throughWall);
  if (!isPlain(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, throughWall(inner)]));
}
