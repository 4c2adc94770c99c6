import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { TokenBucketLimit } from '../../pacing/token-bucket.ts';
import { cooldowns } from './cooldowns.ts';
import type { DueTimes } from './fair-queue.ts';
import { keyedBuckets } from './keyed-buckets.ts';

/** A sender: a browser, and the mark of its network if that is known. */
export type Sender = { readonly device: string; readonly network?: string };

/** How much of an outbox one sender may use, while others wait. */
export type Shares = {
  /**
   * Charges a delivery to its sender's shares and returns 0. If a share is used up, charges nothing and
   * returns how many milliseconds to wait. The share of records is enforced only while more waits than leaves
   * soon; the share of work always is.
   *
   * @param waiting live records in the outbox's backlog
   */
  readonly enter: (sender: Sender, cost: Cost, waiting: number, now: number) => number;
};

/** What a delivery costs an outbox. */
type Cost = {
  readonly records: number;
  /** Page loads of these records. Each is looked up by itself, known or not. */
  readonly sessions: number;
};

// Shares of what an outbox can send.
const DEVICE_SHARE = 0.1;
const NETWORK_SHARE = 0.2;

// Records that leave within this time are no backlog: they are in flight, or fill the next calls.
const BEHIND_MS = 2_000;
// Even with a small allowance, this many are in flight.
const LEAST_BEHIND = 3 * MAX_BATCH_RECORDS;

// The smallest share of records a minute, however small the allowance and however many outboxes divide it. A
// visitor who sends five records every five seconds makes fewer.
const LEAST_SHARE = 3 * MAX_BATCH_RECORDS;

// A sender may use this much of its share at once.
const BURST_MS = 10_000;

// As a page unloads, it may send a request beside a flush in flight. Both must be refused, or neither: else
// one would overtake the other. So no refusal is shorter.
const SHORTEST_REST_MS = 2_000;

// Work is counted in look-ups: one for a request, one for each page load in it, one for each 25 records. A
// visitor's flush costs up to 3, every five seconds. A sender with hundreds of page loads in a request, most
// likely with nothing new in them, costs everybody else time.
const DEVICE_WORK: TokenBucketLimit = { requestsPerMinute: 30_000, burst: 5_000 };
const NETWORK_WORK: TokenBucketLimit = { requestsPerMinute: 60_000, burst: 10_000 };

function workOf({ records, sessions }: Cost): number {
  return 1 + sessions + records / MAX_BATCH_RECORDS;
}

/**
 * @param recordsPerMinute what the outbox can send: its part of the account's allowance
 * @param dueTimes where a network over its share has its browsers put behind others, even without a backlog
 */
export function shares(recordsPerMinute: number, dueTimes: Pick<DueTimes, 'put'>): Shares {
  const ofDevices = keyedBuckets(shareOf(recordsPerMinute * DEVICE_SHARE));
  const ofNetworks = keyedBuckets(shareOf(recordsPerMinute * NETWORK_SHARE));
  const workOfDevices = keyedBuckets(DEVICE_WORK);
  const workOfNetworks = keyedBuckets(NETWORK_WORK);
  const { msLeft, rest } = cooldowns();
  const behind = Math.max(LEAST_BEHIND, (recordsPerMinute * BEHIND_MS) / 60_000);
  return {
    enter: ({ device, network }, cost, waiting, now) => {
      const restMs = msLeft(device, now);
      if (restMs > 0) return restMs;
      const { records } = cost;
      const work = workOf(cost);
      const tooMuchMs = Math.max(
        workOfDevices.msUntil(device, work, now),
        network === undefined ? 0 : workOfNetworks.msUntil(network, work, now),
      );
      if (tooMuchMs > 0) {
        const forMs = Math.max(SHORTEST_REST_MS, tooMuchMs);
        rest(device, forMs, now);
        return forMs;
      }
      const dueMs = Math.max(
        ofDevices.msUntil(device, records, now),
        network === undefined ? 0 : ofNetworks.msUntil(network, records, now),
      );
      if (dueMs > 0 && waiting > behind) {
        // By then half of the backlog has left, and the reason for the refusal with it.
        const halfGoneMs = (waiting * 60_000) / recordsPerMinute / 2;
        const forMs = Math.ceil(Math.max(SHORTEST_REST_MS, Math.min(dueMs, halfGoneMs)));
        rest(device, forMs, now);
        return forMs;
      }
      workOfDevices.spend(device, work, now);
      if (network !== undefined) workOfNetworks.spend(network, work, now);
      ofDevices.spend(device, records, now);
      if (network !== undefined) {
        ofNetworks.spend(network, records, now);
        const inDebtMs = ofNetworks.msUntil(network, 0, now);
        if (inDebtMs > 0) dueTimes.put(new Map([[device, now + inDebtMs]]), now);
      }
      return 0;
    },
  };
}

/** Refuses nobody: for an outbox that does not know how much it can send. */
export const NO_SHARES: Shares = { enter: () => 0 };

/** A token is a record here. */
function shareOf(recordsPerMinute: number): TokenBucketLimit {
  const requestsPerMinute = Math.max(LEAST_SHARE, recordsPerMinute);
  return { requestsPerMinute, burst: Math.max(MAX_BATCH_RECORDS, (requestsPerMinute * BURST_MS) / 60_000) };
}
