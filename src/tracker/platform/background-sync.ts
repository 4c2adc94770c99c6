import type {} from './missing-in-dom.ts';

// Sync is missing, or denied by the visitor or the sandbox. The records stay in the buffer, and the
// next page sends them.
const without = () => {};

/**
 * Prepares for an unload. Returns a function that requests a one-off `sync` event in the
 * site's service worker.
 * The event comes once there is a network. Without a service worker or Background Sync, the
 * function does nothing.
 */
export function askForSync(tag: string): () => void {
  // Awaited now, because an unload gets no other task. In a sandboxed frame the mere access throws.
  const registration = (async () => navigator.serviceWorker.ready)();
  registration.catch(without);
  return () => void registration.then(({ sync }) => sync.register(tag)).catch(without);
}
