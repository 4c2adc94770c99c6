/** What the page tells the tracker. */
export type PageLifecycle = {
  /** The page may be gone in a moment. */
  readonly hidden: () => void;
  /** The visitor is back, perhaps after other tabs went on. */
  readonly visible: () => void;
  /** The network is back. */
  readonly online: () => void;
};

// Not in TypeScript's DOM yet. https://developer.mozilla.org/docs/Web/API/Document/prerendering
type Page = Document & { readonly prerendering?: boolean };

/** A page that was loaded ahead, and that no visitor has seen yet. */
export const isPrerendered = (): boolean | undefined =>
  (globalThis.document as Page | undefined)?.prerendering;

/**
 * Listens to the page, where there is one: in a worker or on a server nothing happens.
 * Never to `unload` or `beforeunload`, which keep a page out of the back/forward cache.
 */
export function watchPage({ hidden, visible, online }: PageLifecycle): void {
  const listen = globalThis.addEventListener;
  // A page that was loaded ahead and is thrown away was never there.
  const left = () => isPrerendered() || hidden();
  listen?.('online', online);
  // Of two windows side by side neither is hidden: the one the visitor comes back to is told so by its focus.
  listen?.('focus', visible);
  // Only `window` ever receives them, never `document`.
  listen?.('pagehide', left);
  listen?.('pageshow', ({ persisted }) => {
    if (persisted) visible();
  });
  // On its way down to the document: there is none in a worker, and no such event.
  listen?.('visibilitychange', () => (document.visibilityState === 'hidden' ? left() : visible()), true);
}

/** Resolves once a page that was loaded ahead is shown to the visitor; at once for any other. */
export async function whenActivated(): Promise<void> {
  if (isPrerendered())
    await new Promise((resolve) => document.addEventListener('prerenderingchange', resolve));
}
