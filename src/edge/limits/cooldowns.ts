import { boundedMap } from './bounded-map.ts';

/** Senders that were refused and are not to be taken from for a while, in memory. */
export type Cooldowns = {
  /** How much longer a sender rests; 0 where it does not. */
  readonly msLeft: (sender: string, now: number) => number;
  readonly rest: (sender: string, forMs: number, now: number) => void;
};

// Those that were told longest ago are forgotten first.
const MAX_SENDERS = 10_000;

export function cooldowns(maxSenders: number = MAX_SENDERS): Cooldowns {
  const until = boundedMap<number>(maxSenders);
  return {
    msLeft: (sender, now) => Math.max(0, (until.get(sender) ?? 0) - now),
    rest: (sender, forMs, now) => until.set(sender, now + forMs),
  };
}
