/** Calls under way, a few at a time. */
export type CallsInFlight = {
  readonly underWay: ReadonlyMap<string, Promise<void>>;
  /** Begins one; `call` settles once its answer is dealt with. */
  readonly begin: (requestId: string, call: () => Promise<void>) => void;
  /** True once dealing with one of them has failed. */
  readonly failed: () => boolean;
  /** Once one of them is dealt with. Never settles where none is under way. */
  readonly next: () => Promise<void>;
  /** Once all of them are; rejects with the first fault of any since the beginning. */
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
      if (faults.length > 0) throw faults[0];
    },
  };
}
