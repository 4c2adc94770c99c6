import type {} from './missing-in-dom.ts';

/** What the page tells the tracker. */
export type PageLifecycle = {
  /** The page may be gone in a moment. */
  readonly hidden: () => void;
  /** The visitor is back, perhaps after other tabs went on. */
  readonly visible: () => void;
  /** The network is back. */
  readonly online: () => void;
};

/** A page that was loaded ahead, and that no visitor has seen yet. */
export const isPrerendered = (): boolean | undefined => globalThis.document?.prerendering;

/**
 * Listens to the page, where there is one: in a worker or on a server nothing happens.
 * Never to `unload` or `beforeunload`, which keep a page out of the back/forward cache.
 */
export function watchPage({ hidden, visible, online }: PageLifecycle): void {
  const tell = ({ type, persisted }: Partial<PageTransitionEvent>) => {
    if (type === 'online') online();
    else if (type === 'pagehide' || globalThis.document?.visibilityState === 'hidden')
      // A page that was loaded ahead and is thrown away was never there.
      isPrerendered() || hidden();
    // Not where a page is shown for the first time.
    else if (persisted !== false) visible();
  };
  // Of two windows side by side neither is hidden: the one the visitor comes back to is told so by its focus. Only `window`
  // ever receives the page's own, never `document`. In a worker there is but the first.
  // On its way down to the document, which may stop it; the focus of a field is not ours.
  for (const type of ['online', 'focus', 'pagehide', 'pageshow', 'visibilitychange'])
    globalThis.addEventListener?.(type, tell, type === 'visibilitychange');
}

/** Resolves once a page that was loaded ahead is shown to the visitor; at once for any other. */
export async function whenActivated(): Promise<void> {
  if (isPrerendered())
    await new Promise((resolve) => document.addEventListener('prerenderingchange', resolve));
}
