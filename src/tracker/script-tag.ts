import { NUMBERS, resolveOptions, type TrackerOptions } from './options.ts';
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

/** `data-batch-size="10"` is `batchSize: 10`; a bare `data-strict` is `true`. What other scripts put there stays theirs. */
function optionsOf({ endpoint = new URL(src).origin, ...data }: DOMStringMap): TrackerOptions {
  const numbers = Object.keys(NUMBERS).flatMap((name) => (name in data ? [[name, Number(data[name])]] : []));
  return {
    endpoint,
    strict: 'strict' in data && data.strict !== 'false',
    skipRepeatedIdentify: data.skipRepeatedIdentify !== 'false',
    ...Object.fromEntries(numbers),
  };
}

function start() {
  const stub = globalThis.webengageRelay ?? {};
  const { madeAt, ...tracker } = startTracker(resolveOptions(optionsOf(dataset)), browserPlatform());
  const run = ([method, call, at, resolve, reject]: QueuedCall) => {
    const methods: Record<string, (...call: never[]) => unknown> = { ...tracker, ...madeAt(at) };
    new Promise((answer) => answer(methods[method]?.(...call))).then(resolve, reject);
  };

  // Onto the stub itself, and behind its queue: who took hold of it, or of a method, before the script has loaded
  // still holds it.
  globalThis.webengageRelay = Object.assign(stub, tracker, { createTracker });
  const { queue = [] } = stub as Stub;
  for (const call of queue) run(call);
  Object.assign(queue, { push: run });
}

start();
