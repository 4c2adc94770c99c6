/** A map of at most `maxKeys` keys. The key that was set longest ago is forgotten first. */
export type BoundedMap<Value> = {
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value) => void;
};

export function boundedMap<Value>(maxKeys: number): BoundedMap<Value> {
  const values = new Map<string, Value>();
  return {
    get: (key) => values.get(key),
    set: (key, value) => {
      // A Map keeps the order of insertion: deleted first, the key moves to the end.
      values.delete(key);
      values.set(key, value);
      for (const oldest of values.keys()) {
        if (values.size <= maxKeys) break;
        values.delete(oldest);
      }
    },
  };
}
