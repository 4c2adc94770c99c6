/**
 * Calls `then` when the document has another title than `before`, and after this many milliseconds.
 * Returns a function that stops it.
 */
export function onTitleChange(before: string | undefined, withinMs: number, then: () => void): () => void {
  const observer = new MutationObserver(() => document.title !== before && then());
  observer.observe(document.head ?? document, { childList: true, subtree: true, characterData: true });
  const timer = setTimeout(then, withinMs);
  return () => {
    observer.disconnect();
    clearTimeout(timer);
  };
}
