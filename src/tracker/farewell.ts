import { batchBytes, batchWithin } from './batches.ts';
import type { Entry } from './buffer.ts';
import type { Held } from './held.ts';
import { MAX_KEEPALIVE_BYTES, type Outcome, type RelayClient } from './relay-client.ts';
import type { SafetyNet } from './safety-net.ts';

type Sent = { readonly batch: readonly Entry[]; readonly outcome: Promise<Outcome> };

/** Sends what a page has at hand as it is left, with no look into the database and no lock. */
export type Farewell = {
  /** The way to the relay for all that is sent, so that it is known what is under way. */
  readonly relay: RelayClient;
  /**
   * Sends all that fits, oldest first, in one request that outlives the page: of several one could overtake the other.
   * It is for the next page to send what is left, which then comes after.
   *
   * @param all also those that may overtake others: nothing else keeps them
   */
  readonly send: (all: boolean) => void;
  /** Leaves the same with the browser, for a page that gets no time to send. To be called whenever it has changed. */
  readonly arm: (maySend: () => boolean, atOnce?: boolean) => void;
  /** What was sent, and what became of it; each once. */
  readonly sent: () => readonly Sent[];
};

export function farewellSend(held: Held, relayItself: RelayClient, net: SafetyNet): Farewell {
  const underWay = new Set<readonly Entry[]>();
  let sent: Sent[] = [];
  let failed = false;

  const relay: RelayClient = async (batch) => {
    underWay.add(batch);
    try {
      return await relayItself(batch);
    } finally {
      underWay.delete(batch);
    }
  };
  const fitting = (all = false) => {
    const head = all ? held.unsaved(false) : held.head();
    const gone = new Set(
      [...underWay, ...sent.map(({ batch }) => batch)].flat().map(({ record }) => record.id),
    );
    // What comes later would overtake what could not be delivered.
    if (failed || head.every(({ record }) => gone.has(record.id))) return [];
    // One budget for all requests that outlive the page. What is under way goes once more, where it fits: a request that
    // does not hold it could overtake it.
    const left = [...underWay].reduce((bytes, batch) => bytes - batchBytes(batch), MAX_KEEPALIVE_BYTES);
    return batchWithin(head, left);
  };

  return {
    relay,
    send: (all) => {
      const batch = fitting(all);
      if (batch.length === 0) return;
      const outcome = relay(batch);
      sent.push({ batch, outcome });
      void outcome.then(({ kind }) => {
        failed ||= kind !== 'settled';
      });
    },
    arm: (maySend, atOnce = false) => net(() => (maySend() ? fitting() : []), atOnce),
    sent: () => {
      const those = sent;
      sent = [];
      failed = false;
      return those;
    },
  };
}
