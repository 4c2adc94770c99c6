/** What the page tells the tracker. */
export type PageMoments = {
  /** The page may be gone in a moment. */
  readonly hidden: () => void;
  /** The visitor is back, perhaps after other tabs went on. */
  readonly visible: () => void;
  /** The network is back. */
  readonly online: () => void;
};

/**
 * Listens to the page, where there is one: in a worker or on a server nothing happens.
 * Never to `unload` or `beforeunload`, which keep a page out of the back/forward cache.
 */
export function watchPage({ hidden, visible, online }: PageMoments): void {
  if (typeof addEventListener !== 'function') return;
  addEventListener('online', online);
  if (typeof document === 'undefined') return;
  document.addEventListener('visibilitychange', () =>
    document.visibilityState === 'hidden' ? hidden() : visible(),
  );
  // Of two windows side by side neither is hidden: the one the visitor comes back to is told so by its focus.
  addEventListener('focus', visible);
  // Only `window` ever receives them, never `document`.
  addEventListener('pagehide', hidden);
  addEventListener('pageshow', (event) => {
    if (event.persisted) visible();
  });
}
