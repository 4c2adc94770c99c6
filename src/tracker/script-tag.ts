import { resolveOptions, type TrackerOptions } from './options.ts';
import { browserPlatform } from './platform.ts';
import { createTracker, startTracker, type Tracker } from './tracker.ts';

// `reset` and `on` of the stub answer nothing; the others answer with a promise of what the real call will.
type QueuedCall = readonly [
  method: string,
  call: readonly never[],
  at: number,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
];

declare global {
  /** Until the script has loaded, the stub's queue of calls; from then on, the tracker. */
  var webengageRelay: (Tracker & { readonly createTracker: typeof createTracker }) | { queue: QueuedCall[] };
}

// A classic script has one; a module has none, and can import the tracker in its place.
const { src, dataset } = document.currentScript as HTMLScriptElement;

/** `data-batch-size="10"` is `batchSize: 10`; `data-strict` is `strict: true`. */
function optionsOf(data: DOMStringMap): Partial<TrackerOptions> {
  return Object.fromEntries(
    Object.entries(data).map(([name, text]) => [
      name,
      name === 'endpoint' ? text : JSON.parse(text || 'true'),
    ]),
  );
}

function start() {
  const stub = globalThis.webengageRelay;
  const settings = resolveOptions({ endpoint: new URL(src).origin, ...optionsOf(dataset) });
  const { madeAt, ...tracker } = startTracker(settings, browserPlatform());
  globalThis.webengageRelay = { ...tracker, createTracker };

  for (const [method, call, at, resolve, reject] of stub && 'queue' in stub ? stub.queue : []) {
    const methods: Record<string, (...call: never[]) => unknown> = { ...tracker, ...madeAt(at) };
    new Promise((answer) => answer(methods[method]?.(...call))).then(resolve, reject);
  }
}

start();
