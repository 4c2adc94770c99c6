import type { FlushResult, Tracker } from '../../../src/tracker/index.ts';
import type { PageEvents } from './page-parts.ts';

// What is run in pages. Each function is sent there as text: it sees its argument, the page, and nothing else.

declare global {
  var webengageRelay: Tracker;
  var pageEvents: PageEvents;
  var hiddenAt: number | undefined;
}

/** Events to be made: one of this name for each number. */
export type Events = { readonly name: string; readonly numbers: readonly number[] };

/** True once the script itself has loaded: the stub has no `createTracker`. */
export const isReady = (): boolean => 'createTracker' in (globalThis.webengageRelay ?? {});

/** Resolves once the database has answered whose calls these are: before that a page that is left sends nothing. */
export const isKnown = async (): Promise<true> => {
  await webengageRelay.stats();
  return true;
};

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

/** Tracks and flushes; resolves as soon as the relay asks the page to wait. */
export function trackUntilAsked({ name, numbers }: Events): Promise<void> {
  return new Promise((resolve) => {
    webengageRelay.on('retrying', () => resolve());
    for (const n of numbers) webengageRelay.track(name, { n });
    webengageRelay.flush();
  });
}

/** Clicks what leads away. */
export function trackAndClick({ name, numbers, on }: Events & { readonly on: string }): void {
  for (const n of numbers) webengageRelay.track(name, { n });
  document.querySelector<HTMLElement>(on)?.click();
}

/** The page's own last words: half of the events in the first of two listeners that browsers call in either order. */
export function trackOnLeaving({ name, numbers, to }: Events & { readonly to: string }): void {
  const left = [...numbers];
  const trackHalf = () => {
    for (const n of left.splice(0, numbers.length / 2)) webengageRelay.track(name, { n });
  };
  document.addEventListener('visibilitychange', trackHalf);
  addEventListener('pagehide', trackHalf);
  location.href = to;
}

/** Opens a window on this page, as a shop does for a payment; resolves when its tracker is ready. */
export async function openWindow(to: string): Promise<void> {
  const opened = open(to, 'opened') as (Window & typeof globalThis) | null;
  if (opened === null) throw new Error('the browser opens no window');
  Object.assign(globalThis, { opened });
  while (!('createTracker' in (opened.webengageRelay ?? {})))
    await new Promise((resolve) => setTimeout(resolve, 20));
  // Before its database has answered it would send nothing.
  await opened.webengageRelay.stats();
}

/**
 * In that window: tracks, and closes itself in the same task. The thread of both windows then has more to do: so long
 * neither learns anything.
 */
export function trackAndCloseWindow({
  name,
  numbers,
  busyMs = 0,
}: Events & { readonly busyMs?: number }): void {
  const { opened } = globalThis as unknown as { opened: Window & typeof globalThis };
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    const until = performance.now() + busyMs;
    while (performance.now() < until);
  };
  // The first task after this one.
  port2.postMessage('go on');
  opened.eval(
    `for (const n of ${JSON.stringify(numbers)}) webengageRelay.track(${JSON.stringify(name)}, { n });
     window.close();`,
  );
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

/** Notes when the page is hidden, should it be. */
export function noteHiding(_: null): void {
  addEventListener('visibilitychange', () => {
    globalThis.hiddenAt = performance.now();
  });
}

/** True where the page is visible, or has been in the background for longer than its calls may be its last. */
export const isNotLeaving = (): boolean => performance.now() - (globalThis.hiddenAt ?? -1e9) > 1_500;

/** The events of the tracker and the browser, as the page has counted them. */
export const readPageEvents = (): PageEvents => pageEvents;

/** Tabs behind another stay visible without a screen: the page gets the events as it would with one. */
export function hide(_: null): void {
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}

export const goBack = (): void => history.back();

/** What kept the page out of the back/forward cache; undefined where nothing did, or the browser does not say. */
export function notRestoredFor(): string | undefined {
  const [navigation] = performance.getEntriesByType('navigation') as readonly {
    readonly notRestoredReasons?: { readonly reasons: readonly { readonly reason: string }[] | null } | null;
  }[];
  return navigation?.notRestoredReasons?.reasons?.map(({ reason }) => reason).join(', ');
}

export const flush = (): Promise<FlushResult> => webengageRelay.flush();

/** Has the tracker send now, and does not wait for it. */
export const startFlush = (): void => void webengageRelay.flush();
