import type { IdentityToken } from './identity-tokens.ts';
import { resolveOptions } from './options.ts';
import { browserPlatform } from './platform.ts';
import { createTracker, startTracker, type Tracker } from './tracker.ts';

type QueuedCall = readonly [
  method: string,
  call: readonly never[],
  at: number,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
];

/** Until the script has loaded: every method puts its calls here. */
type Stub = { readonly queue?: QueuedCall[] };

declare global {
  var webengageRelay: (Tracker & { readonly createTracker: typeof createTracker }) | Stub;
}

// A classic script has one; a module has none, and can import the tracker in its place.
const { src, dataset } = document.currentScript as HTMLScriptElement;

/** `data-batch-size="10"` is `batchSize: 10`; a bare `data-strict` is `true`. What can't be read so is text. */
function settingOf(attribute: string): unknown {
  if (attribute === '') return true;
  return attribute === 'false' ? false : Number(attribute) || attribute;
}

/** A function that the page may define later than this. */
function namedFunction(name: string): IdentityToken {
  return (userId) =>
    (globalThis as unknown as { readonly [name: string]: IdentityToken })[name]?.(userId) ?? '';
}

const stub = globalThis.webengageRelay ?? {};
const data = Object.entries(dataset).map(([name, attribute = '']) => [
  name,
  name === 'identityToken' ? namedFunction(attribute) : settingOf(attribute),
]);
// What other scripts put there stays theirs: only what has an option's name is looked at.
const settings = resolveOptions({ endpoint: new URL(src).origin, ...Object.fromEntries(data) });
const { madeAt, ...tracker } = startTracker(settings, browserPlatform());
const run = ([method, call, at, resolve, reject]: QueuedCall) => {
  const methods: Record<string, (...call: never[]) => unknown> = { ...tracker, ...madeAt(() => at) };
  new Promise((answer) => answer(methods[method]?.(...call))).then(resolve, reject);
};

// Onto the stub itself, and behind its queue: who took hold of it, or of a method, before the script has loaded
// still holds it.
globalThis.webengageRelay = Object.assign(stub, tracker, { createTracker });
const { queue = [] } = stub as Stub;
for (const call of queue) run(call);
Object.assign(queue, { push: run });
