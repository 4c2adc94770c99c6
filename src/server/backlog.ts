/** One call, until it is settled. */
export type Ticket = {
  /** Resolves when there is memory for the call. Only one call may wait. Rejects once the backlog is closed. */
  readonly enter: (bytes: number) => Promise<void>;
  /** Says that the call is settled, and frees its memory. */
  readonly leave: () => void;
};

/** The calls that are not settled, and the memory that they may take. */
export type Backlog = {
  readonly begin: () => Ticket;
  readonly isEmpty: () => boolean;
  /** Resolves when each call that has begun is settled. */
  readonly settled: () => Promise<unknown>;
  /** Lets no further call enter, and counts all others as settled. */
  readonly close: (reason: Error) => void;
};

// What a record takes in memory beside its text: an object, two promises and their functions.
const OVERHEAD_BYTES = 1_000;

export function createBacklog(maxBytes: number): Backlog {
  const begun = new Map<Promise<void>, () => void>();
  let heldBytes = 0;
  let closedFor: Error | undefined;
  let wake = () => {};

  // A single call always has room.
  const isFull = (bytes: number) => heldBytes > 0 && heldBytes + bytes > maxBytes;

  return {
    begin: () => {
      let ownBytes = 0;
      let settle = () => {};
      const settled = new Promise<void>((resolve) => {
        settle = resolve;
      });
      begun.set(settled, settle);
      return {
        enter: async (textBytes) => {
          const bytes = textBytes + OVERHEAD_BYTES;
          while (isFull(bytes) && closedFor === undefined)
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          if (closedFor !== undefined) throw closedFor;
          ownBytes = bytes;
          heldBytes += bytes;
        },
        leave: () => {
          heldBytes -= ownBytes;
          ownBytes = 0;
          begun.delete(settled);
          settle();
          wake();
        },
      };
    },
    isEmpty: () => begun.size === 0,
    settled: () => Promise.all(begun.keys()),
    close: (reason) => {
      closedFor = reason;
      wake();
      for (const settle of begun.values()) settle();
      begun.clear();
    },
  };
}
