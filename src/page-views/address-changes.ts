/**
 * Tells of each change of the address within a document, after it: by the Navigation API where there is one, else by what
 * `history` is called for and tells. May tell twice, and of changes that changed nothing.
 */
export function watchAddress(changed: () => void, signal: AbortSignal): void {
  // Firefox and Safari before 2026 have none. In a document of an opaque origin it is there, and tells nothing.
  const { navigation } = globalThis as { readonly navigation?: Navigation };
  if (navigation?.currentEntry) {
    navigation.addEventListener('currententrychange', changed, { signal });
    return;
  }
  for (const name of ['popstate', 'hashchange']) addEventListener(name, changed, { signal });
  for (const method of ['pushState', 'replaceState'] as const) listenIn(method, changed, signal);
}

/** Has calls of a method of `history` told, after them, and leaves no trace once it ends. */
function listenIn(method: 'pushState' | 'replaceState', changed: () => void, signal: AbortSignal): void {
  const original = history[method];
  const isOwn = Object.hasOwn(history, method);

  function heard(this: History, ...change: Parameters<typeof original>): void {
    original.apply(this, change);
    if (!signal.aborted) changed();
  }

  // Where a page has locked it, the other events still tell; an assignment would throw into the page.
  Reflect.set(history, method, heard);
  signal.addEventListener('abort', () => {
    // Others may have put theirs over it since, and call it: then it stays, and is silent.
    if (history[method] !== heard) return;
    if (isOwn) history[method] = original;
    else Reflect.deleteProperty(history, method);
  });
}
