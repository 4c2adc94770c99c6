/** Puts something else in the place of a built-in, as pages do; answers with what puts the built-in back. */
function replace(owner: object, name: PropertyKey, by: PropertyDescriptor): () => void {
  const original = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { configurable: true, writable: true, ...by });
  return () => {
    if (original) Object.defineProperty(owner, name, original);
    else Reflect.deleteProperty(owner, name);
  };
}

const wrong = () => {
  throw new Error('the page has replaced this');
};

/** Methods of arrays that Prototype.js, MooTools and polyfills of 2008 replace, each by one that does something else. */
const ARRAY_METHODS = [
  ...[
    'entries',
    'reduce',
    'map',
    'filter',
    'find',
    'some',
    'every',
    'includes',
    'indexOf',
    'flatten',
    'reverse',
  ],
  ...['concat', 'forEach', 'flat', 'flatMap', 'slice', 'push', 'keys', 'values', 'join', 'sort'],
];

type Change = readonly [owner: object, name: PropertyKey, by: PropertyDescriptor];

const asText: PropertyDescriptor = {
  value(this: unknown) {
    return `"${String(this)}"`;
  },
};

/** What pages do to their built-ins, each by the name of who does it. */
export const SPOILT_PAGES: Readonly<Record<string, readonly Change[]>> = {
  'no change': [],
  'Prototype.js 1.6 and its toJSON': [Array, String, Number, Boolean, Date, Object].map(
    ({ prototype }): Change => [prototype, 'toJSON', { ...asText, enumerable: true }],
  ),
  'toJSON that is not enumerable': [Array, Date, Object, Map, Set, Error, BigInt].map(
    ({ prototype }): Change => [prototype, 'toJSON', asText],
  ),
  'array methods of another kind': ARRAY_METHODS.map(
    (name): Change => [Array.prototype, name, { value: wrong }],
  ),
  'enumerable names on Object.prototype': [
    [Object.prototype, 'reset', { value: wrong, enumerable: true }],
    [Object.prototype, 'extend', { value: 'inherited', enumerable: true }],
    [Object.prototype, 'attributes', { value: { inherited: true }, enumerable: true }],
  ],
  'enumerable names on Array.prototype': [
    [Array.prototype, 'each', { value: wrong, enumerable: true }],
    [Array.prototype, 1, { value: 'inherited', enumerable: true }],
  ],
  'dates in local time': ['toJSON', 'toISOString', 'toString', 'toUTCString'].map(
    (name): Change => [Date.prototype, name, { value: () => 'Monday' }],
  ),
  'statics of another kind': [
    [Object, 'entries', { value: wrong }],
    [Object, 'fromEntries', { value: wrong }],
    [Object, 'keys', { value: wrong }],
    [Object, 'assign', { value: wrong }],
    [Array, 'from', { value: wrong }],
    [Array, 'isArray', { value: wrong }],
    [JSON, 'stringify', { value: wrong }],
  ],
};

/** Makes a call on a page that has spoilt its built-ins; nothing of it stays. */
export function onSpoiltPage<End>(name: string, call: () => End): End {
  const undo: (() => void)[] = [];
  const changes = SPOILT_PAGES[name] ?? [];
  // By index: whatever runs between here and the end may not use what is replaced.
  for (let i = 0; i < changes.length; i++) {
    const change = changes[i];
    if (change) undo[i] = replace(change[0], change[1], change[2]);
  }
  try {
    return call();
  } finally {
    for (let i = undo.length - 1; i >= 0; i--) undo[i]?.();
  }
}
