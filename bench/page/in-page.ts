import type { createTracker, Tracker } from '../../src/tracker/tracker.ts';

// The code that runs in the page. Each function is sent there as text, so it sees only its argument, the
// page, and what `install` has put there.

type Bench = {
  tracker: Tracker;
  amplitude: ReturnType<Amplitude['createInstance']> | undefined;
  longTasks: number[];
  delivered: number;
  payloads: readonly object[];
  readonly start: (endpoint: string) => Tracker;
  readonly payload: (n: number) => object;
  /** Resolves in a new task, after the follow-up work of earlier tasks has had time to run. */
  readonly rest: () => Promise<void>;
  readonly task: () => Promise<void>;
};

/** The part of Amplitude's SDK that is called here. */
type Amplitude = {
  readonly createInstance: () => {
    readonly init: (apiKey: string, options: object) => { readonly promise: Promise<unknown> };
    readonly track: (eventName: string, eventData: object) => { readonly promise: Promise<unknown> };
  };
};

declare global {
  var bench: Bench;
  var amplitude: Amplitude;
}

export function install(): void {
  const { createTracker: create } = webengageRelay as unknown as { createTracker: typeof createTracker };
  const after = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
  const channel = new MessageChannel();
  const turns: (() => void)[] = [];
  channel.port1.onmessage = () => turns.shift()?.();

  const start = (endpoint: string): Tracker => {
    const tracker = create({ endpoint, requestsPerMinute: 500, burst: 100 });
    bench.tracker = tracker;
    bench.delivered = 0;
    tracker.on('delivered', ({ ids }) => {
      bench.delivered += ids.length;
    });
    return tracker;
  };
  globalThis.bench = {
    tracker: webengageRelay,
    amplitude: undefined,
    longTasks: [],
    delivered: 0,
    payloads: [],
    start,
    payload: (n) => ({
      'Product ID': `sku-${n}`,
      'Product Name': 'Linen shirt, long sleeve',
      Price: 39.8 + n,
      Quantity: n % 5,
      'In Stock': true,
      'Added At': new Date(1_795_000_000_000 + n * 1_000),
    }),
    rest: () => after(100),
    // Not a timeout: browsers delay nested ones by at least 4 ms.
    task: () =>
      new Promise((resolve) => {
        turns.push(resolve);
        channel.port2.postMessage(undefined);
      }),
  };
  new PerformanceObserver((list) => {
    bench.longTasks.push(...list.getEntries().map(({ duration }) => duration));
  }).observe({ type: 'longtask' });
}

/** A new tracker with an empty buffer and an open database. It has just learned that the relay takes nothing now. */
export async function startPaused(endpoint: string): Promise<void> {
  const tracker = bench.start(endpoint);
  const retrying = new Promise<void>((resolve) => void tracker.on('retrying', () => resolve()));
  await tracker.track('Began');
  void tracker.flush();
  await retrying;
}

/** A new instance of Amplitude's SDK that stores its events and sends none meanwhile. */
export async function startAmplitude(relayUrl: string): Promise<void> {
  for (const key of Object.keys(localStorage)) if (key.startsWith('AMP')) localStorage.removeItem(key);
  const instance = amplitude.createInstance();
  const quiet = {
    autocapture: false,
    remoteConfig: { fetchRemoteConfig: false },
    flushQueueSize: 100_000,
    flushIntervalMillis: 3_600_000,
    logLevel: 0,
  };
  await instance.init(`bench-${performance.now()}`, { ...quiet, serverUrl: `${relayUrl}/amplitude` }).promise;
  bench.amplitude = instance;
}

type Calls = {
  readonly setup: 'tracker' | 'localStorage' | 'nothing' | 'amplitude';
  readonly inOneTask: boolean;
  readonly marks: string;
};

/** Prepares the calls' arguments, and clears what the previous calls stored. */
export async function prepareCalls(calls: number): Promise<void> {
  for (const n of bench.payloads.keys()) localStorage.removeItem(`bench ${n}`);
  bench.payloads = Array.from({ length: calls }, (_, n) => bench.payload(n));
  await bench.rest();
}

/** Makes the calls between two marks, and waits until everything they caused is done. */
export async function makeCalls({ setup, inOneTask, marks }: Calls): Promise<void> {
  const { tracker, amplitude, payloads, task, rest } = bench;
  const kept: Promise<void>[] = [];
  const make = {
    tracker: (eventData: object) => kept.push(tracker.track('Added to Cart', eventData)),
    localStorage: (eventData: object, n: number) =>
      localStorage.setItem(`bench ${n}`, JSON.stringify({ eventName: 'Added to Cart', eventData })),
    amplitude: (eventData: object) => void amplitude?.track('Added to Cart', eventData),
    nothing: () => {},
  }[setup];

  performance.mark(`${marks} from`);
  if (inOneTask) payloads.forEach(make);
  else
    for (const [n, eventData] of payloads.entries()) {
      make(eventData, n);
      await task();
    }
  performance.mark(`${marks} to`);
  await Promise.all(kept);
  await rest();
}

type Fill = { readonly records: number; readonly slice: number; readonly marks: string };

/** Fills the buffer, one slice of calls per task. */
export async function fill({ records, slice, marks }: Fill): Promise<void> {
  const { tracker, task, payload, rest } = bench;
  bench.delivered = 0;
  performance.mark(`${marks} from`);
  let written: Promise<unknown> = Promise.resolve();
  for (let n = 0; n < records; n += slice) {
    for (let i = n; i < Math.min(n + slice, records); i += 1)
      written = tracker.track('Added to Cart', payload(i));
    await task();
  }
  await written;
  await rest();
  performance.mark(`${marks} to`);
}

/** Sends the whole buffer at the allowed pace. Resolves when the buffer is empty. */
export async function drain(marks: string): Promise<void> {
  const { tracker, rest } = bench;
  performance.mark(`${marks} from`);
  for (let end = await tracker.flush(); !end.settled; end = await tracker.flush()) {
    const { retryInMs } = end;
    await new Promise((resolve) => setTimeout(resolve, retryInMs));
  }
  await rest();
  performance.mark(`${marks} to`);
}

/** Resolves once this many records are delivered since the last fill began. */
export function delivered(count: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = bench.tracker.on('delivered', () => {
      if (bench.delivered < count) return;
      stop();
      resolve();
    });
  });
}

/** The durations in ms of the long tasks that the browser has reported since the last call. */
export const longTasks = (): readonly number[] => bench.longTasks.splice(0);
