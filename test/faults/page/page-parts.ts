import type { Tracker } from '../../../src/tracker/tracker.ts';
import type { Events } from './in-page.ts';

// Scripts of the site's pages. Each function stands there as text: it sees the page and nothing of this file's.

/** How many events of the tracker and the browser the page has seen since it was loaded. */
export type PageEvents = {
  delivered: number;
  duplicates: number;
  dropped: number;
  degraded: number;
  retrying: number;
  /** How often it came back out of the back/forward cache. */
  restored: number;
};

/** Counts the page's events in `pageEvents`, and reports errors of the page to the site. */
export function keepPageEvents(): void {
  const pageEvents: PageEvents = {
    delivered: 0,
    duplicates: 0,
    dropped: 0,
    degraded: 0,
    retrying: 0,
    restored: 0,
  };
  Object.assign(globalThis, { pageEvents });
  const relay = (globalThis as unknown as { webengageRelay: Tracker }).webengageRelay;
  relay.on('delivered', ({ ids, duplicates }) => {
    pageEvents.delivered += ids.length;
    pageEvents.duplicates += duplicates;
  });
  relay.on('dropped', ({ ids }) => {
    pageEvents.dropped += ids.length;
  });
  relay.on('degraded', () => {
    pageEvents.degraded += 1;
  });
  relay.on('retrying', () => {
    pageEvents.retrying += 1;
  });
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) pageEvents.restored += 1;
  });
  const report = (what: unknown) => {
    new Image().src = `/thrown?${encodeURIComponent(String(what))}`;
  };
  addEventListener('error', ({ message }) => report(message));
  addEventListener('unhandledrejection', ({ reason }) => report(reason));
}

/** Tracks before the tracker has loaded. */
export function trackAtOnce({ name, numbers }: Events): void {
  const relay = (globalThis as unknown as { webengageRelay: Tracker }).webengageRelay;
  for (const n of numbers) relay.track(name, { n });
}

/** Tracks as soon as there is a tracker, whose database has yet to open. */
export function trackInFirstTask({ name, numbers }: Events): void {
  const relay = (globalThis as unknown as { webengageRelay: Tracker }).webengageRelay;
  navigator.sendBeacon('/begun');
  for (const n of numbers) void relay.track(name, { n }).then(() => navigator.sendBeacon(`/kept?${n}`));
}

/** In a frame: does what the page around it asks for, and says when it is done. */
export function obeyFrame(): void {
  addEventListener('message', async ({ data }: MessageEvent<Events>) => {
    const relay = (globalThis as unknown as { webengageRelay: Tracker }).webengageRelay;
    await Promise.all(data.numbers.map((n) => relay.track(data.name, { n })));
    parent.postMessage((globalThis as unknown as { pageEvents: PageEvents }).pageEvents, '*');
  });
}

/** Around a frame: `askFrame` has it track, and answers with its events until then. */
export function showFrame(): void {
  Object.assign(globalThis, {
    askFrame: (events: Events) =>
      new Promise((resolve) => {
        addEventListener('message', ({ data }) => resolve(data), { once: true });
        frames[0]?.postMessage(events, '*');
      }),
  });
}
