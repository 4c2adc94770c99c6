import { boundedMap } from './bounded-map.ts';

/** Senders that were refused and have to wait before they are served again, in memory. */
export type Cooldowns = {
  /** How many milliseconds a sender still has to wait; 0 if none. */
  readonly msLeft: (sender: string, now: number) => number;
  readonly rest: (sender: string, forMs: number, now: number) => void;
};

// The sender that was refused longest ago is forgotten first.
const MAX_SENDERS = 10_000;

export function cooldowns(maxSenders: number = MAX_SENDERS): Cooldowns {
  const until = boundedMap<number>(maxSenders);
  return {
    msLeft: (sender, now) => Math.max(0, (until.get(sender) ?? 0) - now),
    rest: (sender, forMs, now) => until.set(sender, now + forMs),
  };
}
