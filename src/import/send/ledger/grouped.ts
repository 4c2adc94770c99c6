/** Runs a write at a time. Calls made during one share the next, which has all that they want written. */
export function grouped(write: () => Promise<void>): () => Promise<void> {
  let writing: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  return function flush(): Promise<void> {
    if (writing === undefined) {
      writing = write().finally(() => {
        writing = undefined;
      });
      return writing;
    }
    next ??= writing
      .catch(() => {})
      .then(() => {
        next = undefined;
        return flush();
      });
    return next;
  };
}
