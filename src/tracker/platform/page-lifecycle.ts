import type {} from './missing-in-dom.ts';

/** What the page reports to the tracker. */
export type PageLifecycle = {
  /** The page may be gone in a moment. */
  readonly hidden: () => void;
  /** The visitor is back. Other tabs may have tracked meanwhile. */
  readonly visible: () => void;
  /** The network is back. */
  readonly online: () => void;
};

/** Whether the page was loaded ahead and no visitor has seen it yet. */
export const isPrerendered = (): boolean | undefined => globalThis.document?.prerendering;

/**
 * Whether the page has closed its own window. All browsers say so from `close()` on, while the page still runs.
 * A page may have a global of its own by that name.
 */
export const isClosed = (): boolean => globalThis.closed === true;

/**
 * Listens to the page's lifecycle. In a worker only `online` happens, and on a server nothing.
 * Never listens to `unload` or `beforeunload`, which keep a page out of the back/forward cache.
 */
export function watchPage({ hidden, visible, online }: PageLifecycle): void {
  const notify = ({ type, persisted }: Partial<PageTransitionEvent>) => {
    if (type === 'online') online();
    else if (type === 'pagehide' || globalThis.document?.visibilityState === 'hidden')
      // A prerendered page that is discarded was never visited.
      isPrerendered() || hidden();
    // Not when a page is shown for the first time.
    else if (persisted !== false) visible();
  };
  // Two windows side by side are both visible: focus tells to which one the visitor returns. Only `window`
  // receives the page's own events, never `document`. A worker has only `online`.
  // `visibilitychange` is captured on its way down to the document, which may stop it. Focus is not captured:
  // that of a field does not count.
  for (const type of ['online', 'focus', 'pagehide', 'pageshow', 'visibilitychange'])
    globalThis.addEventListener?.(type, notify, type === 'visibilitychange');
}

/** Resolves once a prerendered page is shown to the visitor; at once for any other page. */
export async function whenActivated(): Promise<void> {
  if (isPrerendered())
    await new Promise((resolve) => document.addEventListener('prerenderingchange', resolve));
}
