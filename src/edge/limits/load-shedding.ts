/** Outboxes that take nothing for the moment, as one isolate of the Worker knows: refusing costs no call to them. */
export type LoadShedding = {
  readonly isShedding: (outbox: string, now: number) => boolean;
  readonly shed: (outbox: string, now: number) => void;
};

// Short enough that room is found soon, long enough that a flood costs an outbox next to nothing.
const SHED_MS = 5_000;

export function loadShedding(): LoadShedding {
  // No more entries than there are outboxes.
  const until = new Map<string, number>();
  return {
    isShedding: (outbox, now) => (until.get(outbox) ?? 0) > now,
    shed: (outbox, now) => void until.set(outbox, now + SHED_MS),
  };
}
