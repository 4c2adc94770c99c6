/**
 * Calls `changed` after each change of the address within a document. Uses the Navigation API if there is
 * one; otherwise it wraps methods of `history` and listens to events. May call it twice for one change, or
 * when nothing has changed.
 */
export function watchAddress(changed: () => void, signal: AbortSignal): void {
  // Missing in Firefox and Safari before 2026. A document with an opaque origin has it, but gets no events.
  const { navigation } = globalThis as { readonly navigation?: Navigation };
  if (navigation?.currentEntry) {
    navigation.addEventListener('currententrychange', changed, { signal });
    return;
  }
  for (const name of ['popstate', 'hashchange']) addEventListener(name, changed, { signal });
  for (const method of ['pushState', 'replaceState'] as const) listenIn(method, changed, signal);
}

/**
 * Calls `changed` after each call of a `history` method. Restores the original method when `signal` aborts.
 */
function listenIn(method: 'pushState' | 'replaceState', changed: () => void, signal: AbortSignal): void {
  const original = history[method];
  const isOwn = Object.hasOwn(history, method);

  function heard(this: History, ...change: Parameters<typeof original>): void {
    original.apply(this, change);
    if (!signal.aborted) changed();
  }

  // `Reflect.set`, because an assignment throws if a page has locked the method. The events
  // still report changes.
  Reflect.set(history, method, heard);
  signal.addEventListener('abort', () => {
    // Another script may have wrapped ours since, and call it. Then ours stays, and does nothing.
    if (history[method] !== heard) return;
    if (isOwn) history[method] = original;
    else Reflect.deleteProperty(history, method);
  });
}
