import type { FlushResult, Tracker } from '../../src/tracker/tracker.ts';

// What is run in pages. Each function is sent there as text: it sees its argument, the page, and nothing else.

declare global {
  var webengageRelay: Tracker;
}

/** Events to be made: one of this name for each number. */
export type Events = { readonly name: string; readonly numbers: readonly number[] };

export const isReady = (): boolean => typeof globalThis.webengageRelay?.flush === 'function';

/** Which life of the page this is: it changes with a reload and with a navigation. */
export const life = (): number | undefined =>
  document.readyState === 'complete' ? performance.timeOrigin : undefined;

/** Resolves when all are durable. */
export async function trackAll({ name, numbers }: Events): Promise<void> {
  await Promise.all(numbers.map((n) => webengageRelay.track(name, { n })));
}

/** Does not wait for them to be durable. */
export function trackOnly({ name, numbers }: Events): void {
  for (const n of numbers) webengageRelay.track(name, { n });
}

export function trackAndGo({ name, numbers, to }: Events & { readonly to: string }): void {
  for (const n of numbers) webengageRelay.track(name, { n });
  location.href = to;
}

/** The same with a tracker made in the same task: it has yet to open its database. */
export function trackColdAndGo({
  name,
  numbers,
  to,
  endpoint,
}: Events & { readonly to: string; readonly endpoint: string }): void {
  const { createTracker } = webengageRelay as unknown as {
    createTracker: (options: { endpoint: string }) => Tracker;
  };
  const cold = createTracker({ endpoint });
  for (const n of numbers) cold.track(name, { n });
  location.href = to;
}

export function trackAndReload({ name, numbers }: Events): void {
  for (const n of numbers) webengageRelay.track(name, { n });
  location.reload();
}

/** Tracks when another tab says so. */
export function trackOnSignal({ name, numbers }: Events): void {
  addEventListener(
    'storage',
    () => {
      for (const n of numbers) webengageRelay.track(name, { n });
    },
    { once: true },
  );
}

/** Says so, and tracks. */
export function signalAndTrack({ name, numbers }: Events): void {
  // Another value each time: the same one would be no news to the other tab.
  localStorage.setItem('signal', String(numbers));
  for (const n of numbers) webengageRelay.track(name, { n });
}

/** Keeps count of failed attempts to send, for `failures` to read. */
export function countFailures(_: null): void {
  const page = globalThis as { failures?: number };
  page.failures = 0;
  webengageRelay.on('retrying', () => {
    page.failures = (page.failures ?? 0) + 1;
  });
}

export const failures = (): number => (globalThis as { failures?: number }).failures ?? 0;

/** Puts a tracker to another endpoint in the place of the page's own. */
export function useEndpoint(endpoint: string): void {
  const { createTracker } = webengageRelay as unknown as {
    createTracker: (options: { endpoint: string; maxWaitMs: number }) => Tracker;
  };
  Object.assign(webengageRelay, createTracker({ endpoint, maxWaitMs: 100 }));
}

/** Tabs behind another stay visible without a screen: the page is told as it would be with one. */
export function hide(_: null): void {
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}

export const flush = (): Promise<FlushResult> => webengageRelay.flush();
