/**
 * Outboxes that accept nothing for the moment, as one isolate of the Worker knows. A refusal here does not
 * cost them a call.
 */
export type LoadShedding = {
  readonly isShedding: (outbox: string, now: number) => boolean;
  readonly shed: (outbox: string, now: number) => void;
};

// Short enough to find room soon, long enough that a flood costs an outbox next to nothing.
const SHED_MS = 5_000;

export function loadShedding(): LoadShedding {
  // Has at most one entry for each outbox.
  const until = new Map<string, number>();
  return {
    isShedding: (outbox, now) => (until.get(outbox) ?? 0) > now,
    shed: (outbox, now) => void until.set(outbox, now + SHED_MS),
  };
}
