import type { Answer, Refusal, Rejection } from '../../contract/answer.ts';
import { utf8Bytes } from '../../contract/text.ts';
import { retryAfterMs } from '../../pacing/retry-after.ts';
import { attempt } from '../platform/try-or-undefined.ts';
import type { Entry } from '../store/record-store.ts';
import type { Time } from './flush-schedule.ts';

/** Why records could not be settled for now. */
export type RetryReason =
  | 'network'
  | 'unavailable'
  | 'rate_limited'
  | 'not_allowed'
  | 'not_the_relay'
  /** The relay asks for an identity token, and none can be had that it takes. */
  | 'no_token'
  /** An error of the tracker's own. */
  | 'fault';

/** What became of one batch. */
export type Outcome =
  | { readonly kind: 'settled'; readonly rejected: readonly Rejection[]; readonly duplicates: number }
  /** Nothing is known to be wrong with the records: the same ones may be sent again. */
  | { readonly kind: 'retry'; readonly reason: RetryReason; readonly afterMs?: number | undefined }
  /** The relay will never take this batch as it is. */
  | { readonly kind: 'refused'; readonly message: string };

/** The way to the relay. Never rejects: a dead network is normal. */
export type RelayClient = (batch: readonly Entry[]) => Promise<Outcome>;

/** The request that carries a batch. `leavesNow`: else nobody knows when. */
export type RelayRequest = (
  batch: readonly Entry[],
  leavesNow?: boolean,
) => readonly [url: string, init: RequestInit & { readonly body: string }];

// A request that takes longer is given up; the relay stores within a second or two, or is not there.
const TIMEOUT_MS = 15_000;

// Browsers refuse a keepalive body over 64 KiB, all those under way counted together; the rest is for the site's own.
// https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
export const MAX_KEEPALIVE_BYTES = 60_000;

/**
 * Requests as the wire protocol has them: a string goes as text/plain, so no preflight precedes it.
 *
 * @param device this browser's buffer, by its random id
 * @param token the identity token at hand for a batch
 */
export function relayRequests(
  endpoint: string,
  device: () => string,
  now: () => number,
  token: (batch: readonly Entry[]) => string | undefined = () => undefined,
): RelayRequest {
  return (batch, leavesNow) => {
    const at = now();
    const body = JSON.stringify({
      v: 1,
      // Without it the relay takes all times as they are.
      sentAt: leavesNow && new Date(at).toISOString(),
      device: device(),
      token: token(batch),
      records: batch.map((entry) => ({
        ...entry.record,
        age: Math.max(0, Math.floor(at - entry.at)),
      })),
    });
    return [`${endpoint}/v1/batch`, { method: 'POST', body, credentials: 'omit' }];
  };
}

/** What an answer means for the records. The body must have been read to its end: else its keepalive budget is gone. */
export function readAnswer(status: number, body: string, retryAfter: string | null, now: number): Outcome {
  // What is not JSON is not the relay's: the records stay where they are.
  const answer: Partial<Answer & Refusal> = attempt(() => JSON.parse(body)) ?? {};
  const { response, rejected, duplicates = 0, error } = answer;
  if (status >= 200 && status < 300 && response?.status === 'queued' && Array.isArray(rejected))
    return { kind: 'settled', rejected, duplicates };
  // Only on the relay's own word: a proxy that answers 400 to everything must not cost a single record.
  if (error?.code === 'invalid_batch' || error?.code === 'too_large')
    return { kind: 'refused', message: error.message };
  const reason = error?.code === 'invalid_token' ? 'no_token' : reasonOf(status);
  return { kind: 'retry', reason, afterMs: retryAfterMs(retryAfter, now) };
}

function reasonOf(status: number): RetryReason {
  if (status === 429) return 'rate_limited';
  if (status === 408 || status >= 500) return 'unavailable';
  return status < 300 || status === 400 || status === 413 ? 'not_the_relay' : 'not_allowed';
}

export function relayClient(
  request: RelayRequest,
  fetch: typeof globalThis.fetch,
  { now, timer }: Time,
): RelayClient {
  return (batch) =>
    new Promise((resolve) => {
      const [url, init] = request(batch, true);
      const abort = new AbortController();
      const fail = () => resolve({ kind: 'retry', reason: 'network' });
      // Not the signal alone: of a request begun as the page was left, Firefox tells a page that comes back nothing at all.
      const cancel = timer(() => {
        abort.abort();
        fail();
      }, TIMEOUT_MS);
      // Async, for a wrapper that some tool has put around it, and that throws.
      const answer = async () => {
        const response = await fetch(url, {
          ...init,
          keepalive: utf8Bytes(init.body) <= MAX_KEEPALIVE_BYTES,
          signal: abort.signal,
        });
        resolve(
          readAnswer(response.status, await response.text(), response.headers.get('retry-after'), now()),
        );
      };
      answer().catch(fail).finally(cancel);
    });
}
