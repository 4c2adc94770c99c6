import type { Timer } from '../delivery/flush-schedule.ts';
import type { RelayRequest } from '../delivery/relay-client.ts';
import { attempt } from '../platform/try-or-undefined.ts';
import type { Entry } from '../store/record-store.ts';

/** `fetchLater`, where the browser has it. https://developer.mozilla.org/docs/Web/API/Window/fetchLater */
export type FetchLater = (url: string, init: RequestInit) => unknown;

type Batch = readonly Entry[];

/**
 * Leaves a batch with the browser, in place of the one before, which sends it once the page is gone. It may be empty.
 *
 * @param batch is asked when it is left, and is the same function each time
 * @param atOnce else it may be a moment later: a page that tracks all the time must not pay for it each time
 */
export type SafetyNet = (batch: () => Batch, atOnce: boolean) => void;

const REST_MS = 200;

/**
 * What is left with the browser is sent also when the page crashes, and its process is gone. No answer is ever read:
 * the records stay in the buffer, and the relay knows them when they come again.
 */
export function safetyNet(
  fetchLater: FetchLater | undefined,
  request: RelayRequest,
  timer: Timer,
): SafetyNet {
  let armed = new AbortController();
  let changed = false;
  let resting = false;

  return function arm(batch, atOnce) {
    if (!fetchLater) return;
    if (resting && !atOnce) {
      changed = true;
      return;
    }
    armed.abort();
    armed = new AbortController();
    const records = batch();
    if (records.length === 0) return;
    // The site's own may have used up the quota, or its policy forbids it: the records are in the buffer all the same.
    attempt(() => {
      const [url, init] = request(records);
      fetchLater(url, { ...init, signal: armed.signal });
    });
    if (resting) return;
    resting = true;
    timer(() => {
      resting = false;
      if (changed) arm(batch, true);
      changed = false;
    }, REST_MS);
  };
}
