/** Wakes everyone who is waiting at that moment. */
export type Signal = {
  readonly ring: () => void;
  /** Resolves at the next ring. */
  readonly heard: () => Promise<void>;
  /** True if somebody has begun to wait since the last ring. */
  readonly isAwaited: () => boolean;
};

export function signal(): Signal {
  let next: PromiseWithResolvers<void> | undefined;
  return {
    ring: () => {
      next?.resolve();
      next = undefined;
    },
    heard: () => {
      next ??= Promise.withResolvers<void>();
      return next.promise;
    },
    isAwaited: () => next !== undefined,
  };
}
