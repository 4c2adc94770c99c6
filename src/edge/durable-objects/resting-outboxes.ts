import type { OutboxMetrics } from './outbox-metrics.ts';

/**
 * The figures of outboxes that rest, kept by the gate: nothing can change them until the outbox counts again.
 * So a scrape need not wake it.
 */
export type RestingOutboxes = {
  /**
   * The last figures of an outbox that rests. Undefined if it must be asked. Its answer may be kept with
   * this ticket, unless the outbox has counted something in the meantime or another scrape has asked.
   */
  readonly read: (name: string, ticket: string) => OutboxMetrics | undefined;
  readonly keep: (name: string, ticket: string, figures: OutboxMetrics) => void;
  /** This outbox counts again. */
  readonly end: (name: string) => void;
};

export function restingOutboxes(kv: SyncKvStorage): RestingOutboxes {
  const tickets = new Map<string, string>();
  // A cache: an outbox that sends asks for eight permits a second, and only the first of them ends its rest.
  const awake = new Set<string>();
  const key = (name: string) => `resting ${name}`;
  return {
    read: (name, ticket) => {
      const figures = awake.has(name) ? undefined : kv.get<OutboxMetrics>(key(name));
      if (figures === undefined) tickets.set(name, ticket);
      return figures;
    },
    keep: (name, ticket, figures) => {
      if (tickets.get(name) !== ticket) return;
      tickets.delete(name);
      awake.delete(name);
      kv.put(key(name), figures);
    },
    end: (name) => {
      tickets.delete(name);
      if (awake.has(name)) return;
      awake.add(name);
      kv.delete(key(name));
    },
  };
}
