type Clock = { readonly now: () => number; readonly sleep: (ms: number) => Promise<void> };

/**
 * Groups callers that arrive within `windowMs` of the last group. A group continues in one turn of the event
 * loop, in its order, so the platform commits its writes together. A caller that arrives later continues at once.
 *
 * @param prepare runs once for each group, which shares the result
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
    try {
      // The clock may have been set back.
      await (restMs > 0 ? sleep(Math.min(restMs, windowMs)) : undefined);
    } finally {
      gathering = undefined;
      lastAt = now();
    }
    return prepare();
  };
  return () => {
    gathering ??= gather();
    return gathering;
  };
}
