import type { Entry } from './buffer.ts';
import type { Timer } from './flush-schedule.ts';

/** `fetchLater`, where the browser has it. https://developer.mozilla.org/docs/Web/API/Window/fetchLater */
export type FetchLater = (url: string, init: RequestInit) => unknown;

type Batch = readonly Entry[];

/**
 * Leaves a batch with the browser, in place of the one before, which sends it once the page is gone. It may be empty.
 *
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
  request: (batch: Batch) => readonly [url: string, init: RequestInit],
  timer: Timer,
): SafetyNet {
  let armed = new AbortController();
  let next: (() => Batch) | undefined;
  let resting = false;

  return function arm(batch, atOnce) {
    if (fetchLater === undefined) return;
    if (resting && !atOnce) {
      next = batch;
      return;
    }
    armed.abort();
    armed = new AbortController();
    const records = batch();
    if (records.length === 0) return;
    try {
      const [url, init] = request(records);
      fetchLater(url, { ...init, signal: armed.signal });
    } catch {
      // The site's own have used up the quota, or its policy forbids it: the records are in the buffer all the same.
    }
    if (resting) return;
    resting = true;
    timer(() => {
      resting = false;
      if (next !== undefined) arm(next, true);
      next = undefined;
    }, REST_MS);
  };
}
