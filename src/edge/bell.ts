/** Rings for whoever waits at that moment. */
export type Bell = {
  readonly ring: () => void;
  /** Resolves at the next ring. */
  readonly heard: () => Promise<void>;
};

export function bell(): Bell {
  let { promise, resolve } = Promise.withResolvers<void>();
  return {
    ring: () => {
      resolve();
      ({ promise, resolve } = Promise.withResolvers<void>());
    },
    heard: () => promise,
  };
}
