import { type Limited, logFault } from '../telemetry/log.ts';
import { throttledCount } from '../telemetry/throttled-count.ts';
import { cooldowns } from './cooldowns.ts';
import { keyedBuckets } from './keyed-buckets.ts';

/** What the door allows one sender, as one isolate of the Worker knows it: refusing costs no call to an outbox. */
export type SenderLimits = {
  /** False where a network has sent too many requests. Asked before anything of a request is read. */
  readonly allowsNetwork: (network: string, bound: RateLimit | undefined, now: number) => Promise<boolean>;
  /** Takes a request of a browser; or says which quota it is over, and when it may send again. */
  readonly refusesBrowser: (
    device: string,
    now: number,
  ) => { readonly over: keyof Limited; readonly retryInMs: number } | undefined;
  /** An outbox has refused a browser for so long, as it has had its share. */
  readonly rest: (device: string, forMs: number, now: number) => void;
  /** Counts a refusal. It is told with others in one line a minute: a flood must not cost a line each, nor a row. */
  readonly count: (over: keyof Limited, now: number) => void;
};

// As in wrangler.jsonc, for a Worker that does not bind it.
const OF_NETWORK = { burst: 1_000, requestsPerMinute: 6_000 };

// The most that can be set for a tracker is 500, and a page that is left sends a few more.
const OF_BROWSER = { burst: 600, requestsPerMinute: 600 };

// Less than the outbox, as its answer took its time: whatever it would take is not refused here, or one batch of several sent
// side by side might pass another.
const RESTS_LESS_MS = 500;

export function senderLimits(tell: (refused: Limited) => void): SenderLimits {
  const ofNetworks = keyedBuckets(OF_NETWORK);
  const ofBrowsers = keyedBuckets(OF_BROWSER);
  const { msLeft, rest } = cooldowns();
  const count = throttledCount<keyof Limited>((refused) => tell({ ...NONE, ...refused }));

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
        // What only counts must not keep records out.
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
