import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { TokenBucketLimit } from '../../pacing/token-bucket.ts';
import { cooldowns } from './cooldowns.ts';
import type { DueTimes } from './fair-queue.ts';
import { keyedBuckets } from './keyed-buckets.ts';

/** Who sends: a browser, and the mark of the network it sends from, where that is known. */
export type Sender = { readonly device: string; readonly network?: string };

/** How much of an outbox one sender may have for itself, while others wait. */
export type Shares = {
  /**
   * Takes what a delivery costs of a sender's share. Where there is none left, answers in how many milliseconds to come again:
   * then nothing was taken. Of records there is a share only where more waits than leaves soon; of work there always is.
   *
   * @param waiting records that wait in the outbox
   */
  readonly enter: (sender: Sender, cost: Cost, waiting: number, now: number) => number;
};

/** What a delivery makes an outbox do. */
type Cost = {
  readonly records: number;
  /** Page loads that they are of: each is looked up by itself, known or not. */
  readonly sessions: number;
};

// Of what an outbox can send on.
const DEVICE_SHARE = 0.1;
const NETWORK_SHARE = 0.2;

// What leaves within that is no backlog: records in flight, and those that fill the next calls.
const BEHIND_MS = 2_000;
// A small allowance has that many under way too.
const LEAST_BEHIND = 3 * MAX_BATCH_RECORDS;

// However small the allowance, and among however many outboxes it is divided: more than a visitor makes in a minute, who
// sends five records every five seconds.
const LEAST_SHARE = 3 * MAX_BATCH_RECORDS;

// Of its share a sender may have so much at once.
const BURST_MS = 10_000;

// What a page sends as it is left, beside a flush under way, is refused with it or not at all, or one would overtake the other.
const SHORTEST_REST_MS = 2_000;

// Work, in look-ups: of each request one, of each page load in it one, and of 25 records one. A visitor's flush is 3 of them every
// five seconds; whoever sends hundreds of page loads a request, most likely none of them new, costs everybody else their time.
const DEVICE_WORK: TokenBucketLimit = { requestsPerMinute: 30_000, burst: 5_000 };
const NETWORK_WORK: TokenBucketLimit = { requestsPerMinute: 60_000, burst: 10_000 };

function workOf({ records, sessions }: Cost): number {
  return 1 + sessions + records / MAX_BATCH_RECORDS;
}

/**
 * @param recordsPerMinute what the outbox can send on: its part of the account's allowance
 * @param dueTimes where browsers of a network that has had its share are put behind others, though nothing is behind
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
        // By then half of what waits has left, and what it was refused for is as good as over.
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

/** Where nothing is known of what can be sent on: nobody is refused. */
export const NO_SHARES: Shares = { enter: () => 0 };

/** A token is a record here. */
function shareOf(recordsPerMinute: number): TokenBucketLimit {
  const requestsPerMinute = Math.max(LEAST_SHARE, recordsPerMinute);
  return { requestsPerMinute, burst: Math.max(MAX_BATCH_RECORDS, (requestsPerMinute * BURST_MS) / 60_000) };
}
