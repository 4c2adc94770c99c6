import ky from 'ky';
import { retryAfterMs } from '../pacing/retry-after.ts';
import type { RecordKind, StoredRecord } from './run.ts';
import type { RelaySettings } from './settings.ts';

/** What became of one call to WebEngage. */
export type CallOutcome =
  | { readonly kind: 'delivered' }
  /** Over the rate limit: the whole account has to pause. */
  | { readonly kind: 'paused'; readonly forMs: number }
  /** Refused, or nobody knows: the same batch is sent again. `status` 0: no answer. */
  | { readonly kind: 'retry'; readonly status: number };

export type UpstreamCall = {
  readonly kind: RecordKind;
  readonly requestId: string;
  readonly records: readonly StoredRecord[];
};

/** The way to WebEngage. Never rejects. */
export type Upstream = (call: UpstreamCall) => Promise<CallOutcome>;

// Long enough for a slow answer, short enough not to hold the queue; what it cuts off is sent again under the same id.
const TIMEOUT_MS = 10_000;

const MINUTE_MS = 60_000;

// A pause of nothing would spend the allowance on being refused; one of years is a mistake that nobody would find.
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60 * MINUTE_MS;

/** What a status of WebEngage means for the batch. Any 2xx is success, whatever the body says. */
export function outcomeOf(status: number, retryAfter: string | null, now: number): CallOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status !== 429) return { kind: 'retry', status };
  // WebEngage documents no Retry-After. Its minute may be a fixed one: the next begins at zero seconds.
  const askedMs = retryAfterMs(retryAfter, now) ?? MINUTE_MS - (now % MINUTE_MS);
  return { kind: 'paused', forMs: Math.min(Math.max(askedMs, MIN_PAUSE_MS), MAX_PAUSE_MS) };
}

/** The body of a bulk call: the records as they came, without the ids that are ours. */
function bulkBody(kind: RecordKind, records: readonly StoredRecord[]): string {
  return JSON.stringify({ [`${kind}s`]: records.map(({ id: _, ...record }) => record) });
}

export function webEngage({ upstream, licenseCode, apiKey }: RelaySettings, now: () => number): Upstream {
  return async ({ kind, requestId, records }) => {
    try {
      const response = await ky.post(`${upstream}/v1/accounts/${licenseCode}/bulk-${kind}s`, {
        body: bulkBody(kind, records),
        // From scratch: nothing a browser sent reaches WebEngage but checked records.
        headers: {
          Authorization: `Bearer ${apiKey}`,
          'Content-Type': 'application/json',
          'x-request-id': requestId,
        },
        // The key goes nowhere else, whoever asks.
        redirect: 'manual',
        // The outbox retries: with the same members and the same id, and through a crash.
        retry: 0,
        throwHttpErrors: false,
        timeout: TIMEOUT_MS,
      });
      // The status has said all: a body that breaks off must not make a delivered batch unknown again.
      response.body?.cancel().catch(() => undefined);
      return outcomeOf(response.status, response.headers.get('Retry-After'), now());
    } catch {
      return { kind: 'retry', status: 0 }; // No answer in time, or none at all.
    }
  };
}
