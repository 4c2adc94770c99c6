import { attempt } from './attempt.ts';
import type { Entry } from './buffer.ts';
import type { Timer } from './flush-schedule.ts';
import type { RelayRequest } from './relay-client.ts';

/** `fetchLater`, where the browser has it. https://developer.mozilla.org/docs/Web/API/Window/fetchLater */
export type FetchLater = (url: string, init: RequestInit) => unknown;

type Batches = readonly (readonly Entry[])[];

/**
 * Leaves batches with the browser, in place of those before, which sends them once the page is gone.
 *
 * @param batches is asked when they are left, and is the same function each time
 * @param atOnce else it may be a moment later: a page that tracks all the time must not pay for it each time
 */
export type SafetyNet = (batches: () => Batches, atOnce: boolean) => void;

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

  return function arm(batches, atOnce) {
    if (!fetchLater) return;
    if (resting && !atOnce) {
      changed = true;
      return;
    }
    armed.abort();
    armed = new AbortController();
    const those = batches();
    // The site's own may have used up the quota, or its policy forbids it: the records are in the buffer all the same.
    attempt(() => {
      for (const batch of those) {
        const [url, init] = request(batch);
        fetchLater(url, { ...init, signal: armed.signal });
      }
    });
    if (resting || those.length === 0) return;
    resting = true;
    timer(() => {
      resting = false;
      if (changed) arm(batches, true);
      changed = false;
    }, REST_MS);
  };
}
