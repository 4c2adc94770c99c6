import type { BufferedRecord } from './buffer.ts';
import { fitting } from './flush.ts';
import type { Outcome, RelayClient } from './relay-client.ts';

type Settled = Extract<Outcome, { kind: 'settled' }>;

/** Sends this page's own records as it is hidden, with no look into the database and no lock. */
export type Farewell = {
  /** @param waiting how many records the buffer holds after these, of all tabs and earlier pages */
  readonly add: (records: readonly BufferedRecord[], waiting: number) => void;
  readonly forget: (ids: readonly string[]) => void;
  /** One request, of what fits it. Nothing, where the buffer holds older records: they go first. */
  readonly send: () => void;
  /** Forgets what was sent, if the relay has answered for it; else it is sent again with the rest. */
  readonly settle: () => Promise<void>;
};

// As many as one request takes. With more than that there is a flush under way, or about to be.
const MAX_KEPT = 25;

/**
 * A page that asks for a lock or the database as it is hidden is not kept in the back/forward cache, and the answer may
 * never come. So the records that are not settled are kept at hand, and what was sent is settled by the next flush.
 * Doubles are the relay's to know.
 */
export function farewellSend(
  relay: RelayClient,
  settleBatch: (batch: readonly BufferedRecord[], outcome: Settled) => Promise<void>,
): Farewell {
  let unsettled: readonly BufferedRecord[] = [];
  let isOldest = false;
  let sent: { readonly batch: readonly BufferedRecord[]; readonly outcome: Promise<Outcome> } | undefined;

  return {
    add: (records, waiting) => {
      unsettled = [...unsettled, ...records].slice(0, MAX_KEPT);
      isOldest = unsettled.length === waiting;
    },
    forget: (ids) => {
      const gone = new Set(ids);
      unsettled = unsettled.filter(({ record }) => !gone.has(record.id));
    },
    send: () => {
      if (!isOldest || unsettled.length === 0 || sent !== undefined) return;
      const batch = fitting(unsettled);
      sent = { batch, outcome: relay(batch) };
    },
    settle: async () => {
      if (sent === undefined) return;
      const { batch, outcome } = sent;
      const settled = await outcome;
      sent = undefined;
      if (settled.kind === 'settled') await settleBatch(batch, settled);
    },
  };
}
