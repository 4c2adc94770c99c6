import type { Answer, Refusal, Rejection } from '../contract/answer.ts';
import { utf8Bytes } from '../contract/text.ts';
import { retryAfterMs } from '../pacing/retry-after.ts';
import type { BufferedRecord } from './buffer.ts';

/** Why records could not be settled for now. */
export type RetryReason =
  | 'network'
  | 'unavailable'
  | 'rate_limited'
  | 'not_allowed'
  | 'not_the_relay'
  /** An error of the tracker's own. */
  | 'fault';

/** What became of one batch. */
export type Outcome =
  | { readonly kind: 'settled'; readonly rejected: readonly Rejection[]; readonly duplicates: number }
  /** Nothing is known to be wrong with the records: the same ones may be sent again. */
  | { readonly kind: 'retry'; readonly reason: RetryReason; readonly afterMs: number | undefined }
  /** The relay will never take this batch as it is. */
  | { readonly kind: 'refused'; readonly message: string };

/** The way to the relay. Never rejects: a dead network is normal. */
export type RelayClient = (batch: readonly BufferedRecord[]) => Promise<Outcome>;

export type RelayClientPorts = {
  readonly endpoint: string;
  /** This browser's buffer, by its random id. */
  readonly device: () => Promise<string>;
  readonly fetch: typeof fetch;
  readonly now: () => number;
};

// A request that takes longer is given up; the relay stores within a second or two, or is not there.
const TIMEOUT_MS = 15_000;

// Browsers refuse a keepalive body over 64 KiB, all those under way counted together; the rest is for the site's own.
// https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
export const MAX_KEEPALIVE_BYTES = 60_000;

/** The body of a batch, as the wire protocol has it. */
export function batchBody(batch: readonly BufferedRecord[], device: string, now: number): string {
  return JSON.stringify({
    v: 1,
    sentAt: new Date(now).toISOString(),
    device,
    records: batch.map(({ at, record }) => ({ ...record, age: Math.max(0, Math.floor((now - at) / 1000)) })),
  });
}

/** What an answer means for the records. The body must have been read to its end: else its keepalive budget is gone. */
export function readAnswer(status: number, body: string, retryAfter: string | null, now: number): Outcome {
  const retry = (reason: RetryReason): Outcome => ({
    kind: 'retry',
    reason,
    afterMs: retryAfterMs(retryAfter, now),
  });
  const { response, rejected, duplicates, error } = parse(body);

  if (status >= 200 && status < 300)
    return response?.status === 'queued' && Array.isArray(rejected)
      ? { kind: 'settled', rejected, duplicates: duplicates ?? 0 }
      : retry('not_the_relay');
  if (status === 400 || status === 413)
    // Only on the relay's own word: a proxy that answers 400 to everything must not cost a single record.
    return error?.code === 'invalid_batch' || error?.code === 'too_large'
      ? { kind: 'refused', message: error.message }
      : retry('not_the_relay');
  if (status === 429) return retry('rate_limited');
  return retry(status === 408 || status >= 500 ? 'unavailable' : 'not_allowed');
}

function parse(body: string): Partial<Answer & Refusal> {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {}; // Not JSON, so not the relay: the records stay where they are.
  }
}

export function relayClient({ endpoint, device, fetch, now }: RelayClientPorts): RelayClient {
  return async (batch) => {
    const body = batchBody(batch, await device(), now());
    try {
      // A string goes as text/plain: a simple request, so no preflight precedes it.
      const response = await fetch(`${endpoint}/v1/batch`, {
        method: 'POST',
        body,
        credentials: 'omit',
        keepalive: utf8Bytes(body) <= MAX_KEEPALIVE_BYTES,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const { status, headers } = response;
      return readAnswer(status, await response.text(), headers.get('retry-after'), now());
    } catch {
      return { kind: 'retry', reason: 'network', afterMs: undefined };
    }
  };
}
