type Clock = { readonly now: () => number; readonly sleep: (ms: number) => Promise<void> };

/**
 * Groups callers that arrive within a few milliseconds of the last group. All of a group continue in one turn of the event loop, in
 * their order, so the platform commits their writes together. A caller that arrives later than that continues at once.
 *
 * @param prepare runs once for each group; its result is shared by the group
 */
export function groupCommit<T>(
  windowMs: number,
  { now, sleep }: Clock,
  prepare: () => Promise<T>,
): () => Promise<T> {
  let gathering: Promise<T> | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  const gather = async (): Promise<T> => {
    const restMs = lastAt + windowMs - now();
    // The clock may have been set back.
    await (restMs > 0 ? sleep(Math.min(restMs, windowMs)) : undefined);
    gathering = undefined;
    lastAt = now();
    return prepare();
  };
  return () => {
    gathering ??= gather();
    return gathering;
  };
}
