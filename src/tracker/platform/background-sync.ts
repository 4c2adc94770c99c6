import type {} from './missing-in-dom.ts';

// Missing, or denied by the visitor or the sandbox: the records stay in the buffer, and the next page sends them.
const without = () => {};

/**
 * Prepares for a page that is left: what this answers with asks for a one-off `sync` event in the site's service worker,
 * which comes once there is a network. Where there is no service worker, or no Background Sync, it does nothing.
 */
export function askForSync(tag: string): () => void {
  // Waited for now, for a page that is being left gets no other turn. In a sandboxed frame the mere look at it throws.
  const registration = (async () => navigator.serviceWorker.ready)();
  registration.catch(without);
  return () => void registration.then(({ sync }) => sync.register(tag)).catch(without);
}
