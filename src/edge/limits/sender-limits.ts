import { type Limited, logFault } from '../telemetry/log.ts';
import { throttledCount } from '../telemetry/throttled-count.ts';
import { cooldowns } from './cooldowns.ts';
import { keyedBuckets } from './keyed-buckets.ts';

/**
 * How much one sender may send, as one isolate of the Worker knows. A refusal here does not cost an outbox a
 * call.
 */
export type SenderLimits = {
  /** False if a network has sent too many requests. Checked before any part of the request is read. */
  readonly allowsNetwork: (network: string, bound: RateLimit | undefined, now: number) => Promise<boolean>;
  /**
   * Counts a browser's request and returns undefined. If the browser is over a quota, returns which one, and
   * when it may send again.
   */
  readonly refusesBrowser: (
    device: string,
    now: number,
  ) => { readonly over: keyof Limited; readonly retryInMs: number } | undefined;
  /** An outbox has refused this browser for `forMs`, because it has used its share. */
  readonly rest: (device: string, forMs: number, now: number) => void;
  /** Counts a refusal. One log line a minute covers all: a flood must not cost a line or a row for each. */
  readonly count: (over: keyof Limited, now: number) => void;
};

// As in wrangler.jsonc, for a Worker without that binding.
const OF_NETWORK = { burst: 1_000, requestsPerMinute: 6_000 };

// A tracker can be set to at most 500 requests a minute, and a page that unloads sends a few more.
const OF_BROWSER = { burst: 600, requestsPerMinute: 600 };

// Less than the outbox asked for, because its answer took time. Otherwise a batch might be refused here that
// the outbox would accept, and another one sent beside it might overtake it.
const RESTS_LESS_MS = 500;

export function senderLimits(log: (refused: Limited) => void): SenderLimits {
  const ofNetworks = keyedBuckets(OF_NETWORK);
  const ofBrowsers = keyedBuckets(OF_BROWSER);
  const { msLeft, rest } = cooldowns();
  const count = throttledCount<keyof Limited>((refused) => log({ ...NONE, ...refused }));

  const ofThisIsolate = (network: string, now: number): boolean => {
    if (ofNetworks.msUntil(network, 1, now) > 0) return false;
    ofNetworks.spend(network, 1, now);
    return true;
  };
  return {
    allowsNetwork: async (network, bound, now) => {
      if (bound === undefined) return ofThisIsolate(network, now);
      try {
        return (await bound.limit({ key: network })).success;
      } catch (error) {
        // If counting fails, records must still come in.
        logFault('address_limit_failed', error);
        return ofThisIsolate(network, now);
      }
    },
    refusesBrowser: (device, now) => {
      const restMs = msLeft(device, now);
      if (restMs > 0) return { over: 'share', retryInMs: restMs };
      const dueMs = ofBrowsers.msUntil(device, 1, now);
      if (dueMs > 0) return { over: 'browser', retryInMs: dueMs };
      ofBrowsers.spend(device, 1, now);
      return undefined;
    },
    rest: (device, forMs, now) => rest(device, forMs - RESTS_LESS_MS, now),
    count: (over, now) => count({ [over]: 1 }, now),
  };
}

const NONE: Limited = { address: 0, browser: 0, share: 0 };
