/** Senders that were refused and are not to be taken from for a while, in memory. */
export type Rests = {
  /** How much longer a sender rests; 0 where it does not. */
  readonly msLeft: (sender: string, now: number) => number;
  readonly rest: (sender: string, forMs: number, now: number) => void;
};

// Those that were told longest ago are forgotten first.
const MAX_SENDERS = 10_000;

export function rests(maxSenders: number = MAX_SENDERS): Rests {
  const until = new Map<string, number>();
  return {
    msLeft: (sender, now) => Math.max(0, (until.get(sender) ?? 0) - now),
    rest: (sender, forMs, now) => {
      until.delete(sender);
      until.set(sender, now + forMs);
      for (const oldest of until.keys()) {
        if (until.size <= maxSenders) break;
        until.delete(oldest);
      }
    },
  };
}
