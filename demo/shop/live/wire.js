/**
 * The wire from this page to the relay: counts what goes over it, and can be cut.
 * A classic script, so that it wraps `fetch` before the tracker calls it for the first time.
 */
globalThis.wire = (() => {
  const KEPT_AS = 'demo-offline';
  const batches = new URL('/v1/batch', document.documentElement.dataset.relayUrl).href;
  const straight = globalThis.fetch;
  const counts = { sent: 0, answered: 0 };
  // Kept, so that the page can be reloaded while it is offline.
  let offline = sessionStorage.getItem(KEPT_AS) === 'yes';

  globalThis.fetch = async (input, init) => {
    const url = typeof input === 'string' ? input : (input.url ?? String(input));
    if (url !== batches) return straight(input, init);
    if (offline) throw new TypeError('Failed to fetch: offline, as configured');
    counts.sent += 1;
    const response = await straight(input, init);
    counts.answered += 1;
    return response;
  };

  return {
    counts,
    isOffline: () => offline,
    setOffline(wanted) {
      offline = wanted;
      sessionStorage.setItem(KEPT_AS, wanted ? 'yes' : 'no');
      // What the browser itself would say.
      dispatchEvent(new Event(wanted ? 'offline' : 'online'));
    },
  };
})();
