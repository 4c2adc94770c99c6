type IdentityToken = (userId: string) => string | Promise<string>;

import { resolveOptions } from './options.ts';
import { browserPlatform } from './platform/platform.ts';
import { createTracker, startTracker, type Tracker } from './tracker.ts';

type QueuedCall = readonly [
  method: string,
  call: readonly never[],
  at: number,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
  page?: string,
];

/** Until the script has loaded: every method puts its calls here. */
type Stub = { readonly queue?: QueuedCall[] };

declare global {
  var webengageRelay: (Tracker & { readonly createTracker: typeof createTracker }) | Stub;
}

const stub = globalThis.webengageRelay ?? {};
const { queue = [] } = stub as Stub;
const platform = browserPlatform();

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

/** Starts the tracker as the script tag says, and answers with what makes a queued call. */
function start(): (call: QueuedCall) => void {
  // A classic script has one; a module has none, and can import the tracker in its place.
  const { src, dataset } = document.currentScript as HTMLScriptElement;
  const data = Object.entries(dataset).map(([name, attribute = '']) => [
    name,
    name === 'identityToken' ? namedFunction(attribute) : settingOf(attribute),
  ]);
  // What other scripts put there stays theirs: only what has an option's name is looked at.
  const settings = resolveOptions({ endpoint: new URL(src).origin, ...Object.fromEntries(data) });
  const { madeAt, ...tracker } = startTracker(settings, platform);
  // Onto the stub itself, and behind its queue: who took hold of it, or of a method, before the script has loaded
  // still holds it.
  globalThis.webengageRelay = Object.assign(stub, tracker, { createTracker });
  return ([method, call, at, resolve, reject, page]) => {
    const calls = madeAt(at, page);
    const methods: Record<string, (...call: never[]) => unknown> = { ...tracker, ...calls };
    new Promise((answer) => answer(methods[method]?.(...call))).then(resolve, reject);
  };
}

let run: (call: QueuedCall) => void;
try {
  run = start();
} catch (error) {
  // An impossible option: the page's error, told once; and who has called, or will, waits for nothing.
  platform.report(error);
  run = ([, , , , reject]) => reject(error);
}
for (const call of queue) run(call);
Object.assign(queue, { push: run });
