import type { RelayRequest } from '../delivery/relay-client.ts';
import type { Time } from '../platform/time.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Entry } from '../record/call.ts';

/** `fetchLater`, where the browser has it. https://developer.mozilla.org/docs/Web/API/Window/fetchLater */
export type FetchLater = (url: string, init: RequestInit) => unknown;

/**
 * Leaves a batch with the browser, in place of the one before, which sends it once the page is gone. It may be empty.
 *
 * @param batch is asked when it is left, and is the same function each time
 * @param atOnce else it may be a moment later: a page that tracks all the time must not pay for it each time
 */
export type FetchLaterNet = (batch: (all: boolean) => readonly Entry[], atOnce: boolean) => void;

const REST_MS = 200;

/**
 * What is left with the browser is sent also when the page crashes, and its process is gone. No answer is ever read:
 * the records stay in the buffer, and the relay recognizes them when they come again.
 */
export function fetchLaterNet(
  request: RelayRequest,
  { fetchLater, time }: { readonly fetchLater: FetchLater | undefined; readonly time: Time },
): FetchLaterNet {
  let armed = new AbortController();
  let isChanged = false;
  let isResting = false;

  return function arm(batch, atOnce) {
    if (!fetchLater) return;
    if (isResting && !atOnce) {
      isChanged = true;
      return;
    }
    armed.abort();
    armed = new AbortController();
    const entries = batch(false);
    if (entries.length === 0) return;
    // The site's own may have used up the quota, or its policy forbids it: the records are in the buffer all the same.
    tryOrUndefined(() => {
      const [url, init] = request(entries, false);
      fetchLater(url, { ...init, signal: armed.signal });
    });
    if (isResting) return;
    isResting = true;
    time.timer(() => {
      isResting = false;
      if (isChanged) arm(batch, true);
      isChanged = false;
    }, REST_MS);
  };
}
