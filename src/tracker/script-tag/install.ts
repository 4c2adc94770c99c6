import { bare, ownFields } from '../record/own-fields.ts';
import type { StartedTracker } from '../tracker.ts';
import { attributeSettings, type JoinSettings, type PageSettings, scriptOrigin } from './settings.ts';

/** A call made before the script loaded, as the stub queues it. */
type QueuedCall = readonly [
  method: string,
  call: readonly never[],
  at: number,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
  address?: string,
];

/** The object on the page until a tracker takes its place. */
type Stub = { readonly queue: QueuedCall[]; readonly options?: PageSettings | undefined };

/** Starts a tracker. Throws for an invalid option before it has started anything. */
export type StartTracker = (options: PageSettings) => StartedTracker;

type Methods = Record<string, (...call: never[]) => unknown>;

// The page's own global. It can hold anything, so it is read as own fields, any of which may be missing.
type Global = Partial<Stub> & { readonly createTracker?: unknown; readonly track?: unknown };

const page = globalThis as { webengageRelay?: Global };

const METHODS = ['identify', 'track', 'reset', 'flush', 'stats', 'optOut', 'optIn', 'on', 'use'];

/** A stub for a page without one: its calls have a place to go even if no tracker may start. */
function ownStub(options: Stub['options']): Stub {
  const queue: QueuedCall[] = [];
  const stub: Stub & PageSettings = bare({ queue, options });
  for (const method of METHODS)
    stub[method] = (...call: never[]) => {
      const made = new Promise((resolve, reject) =>
        queue.push([method, call, Date.now(), resolve, reject, document.URL]),
      );
      // The console already has the reason: a call that no one awaits must not be another error.
      made.catch(() => {});
      return made;
    };
  return stub;
}

/**
 * The page's stub, or a new one with its settings. Undefined if the page has a tracker:
 * ours, or one from npm.
 */
function findStub(): Stub | undefined {
  const { createTracker, track, queue, options } = ownFields(page.webengageRelay);
  if (createTracker || (track && !queue)) return undefined;
  return queue ? (page.webengageRelay as Stub) : ownStub(options);
}

/** All settings of this script. Throws if one is missing, lost or invalid. */
function readSettings(stub: Stub, join: JoinSettings): PageSettings {
  // Null in a module. And an element of the page with this name can take its place.
  const { currentScript } = document;
  const script = currentScript instanceof HTMLScriptElement ? currentScript : undefined;
  const settings = join(attributeSettings(script?.dataset), ownFields(stub.options));
  if (!('endpoint' in settings)) settings.endpoint = scriptOrigin(script);
  return settings;
}

type TakeCall = (call: QueuedCall) => void;

/** Puts a tracker's methods on the stub. Returns what makes a call. */
function handOver(stub: Stub, { madeAt, ...tracker }: StartedTracker, createTracker: StartTracker): TakeCall {
  // Onto the stub itself, and still behind its queue: code may have kept the stub, or one of its methods,
  // since before the script loaded.
  Object.assign(stub, tracker, { createTracker });
  return ([method, call, at, resolve, , address]) => {
    const methods: Methods = { ...tracker, ...madeAt(at, address) };
    // With a promise, at once: from now on the stub's own time limit ends nothing.
    resolve(new Promise((answer) => answer(methods[method]?.(...call))));
  };
}

/** Tells the page why there is no tracker. Returns what tells a call, and queues it for a script that can start one. */
function refuse({ queue }: Stub, error: unknown): TakeCall {
  console.error('webengage-relay:', error);
  return (call) => {
    queue[queue.length] = call;
    call[4](error);
  };
}

/**
 * Makes the page's calls by one tracker, however many stubs and scripts it has, and each call once.
 * Never throws: if no tracker can start, the console says why, and so does the promise of each call.
 *
 * @param join joins the settings for the bundle: `coreSettings` or `fullSettings`
 */
export function installTracker(startWith: StartTracker, join: JoinSettings): void {
  const start: StartTracker = (options) => {
    // An add-on from npm looks for names that the scripts have shortened. It would be
    // accepted, and do nothing.
    if (options.plugins) throw new Error('plugins are for the npm package: load tracker.full.js');
    return startWith(options);
  };
  const stub = findStub();
  if (!stub) return;
  const { queue } = stub;
  let take: TakeCall;
  try {
    take = handOver(stub, start(readSettings(stub, join)), (options) => start(join(options, {})));
  } catch (error) {
    take = refuse(stub, error);
  }
  page.webengageRelay = stub;
  const waiting = queue.splice(0);
  // Each call from now on. Not by `queue.push =`: a page may have frozen `Array.prototype`.
  Object.defineProperty(queue, 'push', bare({ value: take, configurable: true }));
  for (const call of waiting) take(call);
}
