import { resolveOptions, type TrackerOptions } from './options.ts';
import { browserPlatform } from './platform.ts';
import { createTracker as createTypedTracker, startTracker } from './tracker.ts';

// `reset` and `on` of the stub answer nothing; the others answer with a promise of what the real call will.
type QueuedCall = readonly [
  method: string,
  call: readonly never[],
  at: number,
  resolve?: (value: unknown) => void,
  reject?: (error: unknown) => void,
];

const script = document.currentScript as HTMLScriptElement | null;

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
  const { queue = [] }: { queue?: QueuedCall[] } = Reflect.get(globalThis, 'webengageRelay') ?? {};
  const settings = resolveOptions({
    endpoint: new URL(script?.src ?? '').origin,
    ...optionsOf(script?.dataset ?? {}),
  });
  const { madeAt, ...tracker } = startTracker(settings, browserPlatform());
  Object.assign(globalThis, { webengageRelay: { ...tracker, createTracker: createTypedTracker } });

  for (const [method, call, at, resolve, reject] of queue) {
    const methods: Record<string, (...call: never[]) => unknown> = { ...tracker, ...madeAt(at) };
    // A method the stub let through and the tracker does not have rejects, as any bad call.
    new Promise((answer) => answer(methods[method]?.(...call))).then(resolve, reject);
  }
}

start();
