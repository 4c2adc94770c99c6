/** Calls in flight, a few at a time. */
export type CallsInFlight = {
  readonly underWay: ReadonlyMap<string, Promise<void>>;
  /** Starts a call. `call` settles once its answer has been handled. */
  readonly begin: (requestId: string, call: () => Promise<void>) => void;
  /** True once handling an answer has failed. */
  readonly failed: () => boolean;
  /** Resolves when the next answer has been handled. Never settles if no call is in flight. */
  readonly next: () => Promise<void>;
  /** Resolves when all answers have been handled. Rejects with the first fault of any call since the last time. */
  readonly all: () => Promise<void>;
};

export function callsInFlight(): CallsInFlight {
  const underWay = new Map<string, Promise<void>>();
  const faults: unknown[] = [];
  return {
    underWay,
    begin: (requestId, call) => {
      const landed = call()
        .catch((error: unknown) => void faults.push(error))
        .finally(() => underWay.delete(requestId));
      underWay.set(requestId, landed);
    },
    failed: () => faults.length > 0,
    next: () => Promise.race(underWay.values()),
    all: async () => {
      await Promise.all(underWay.values());
      const [first] = faults.splice(0);
      if (first !== undefined) throw first;
    },
  };
}
