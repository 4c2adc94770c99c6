import type { Answer, Refusal } from '../../contract/answer.ts';
import { formatDate } from '../../contract/rules/date.ts';
import { retryAfterMs } from '../../pacing/retry-after.ts';
import type { Clock } from '../engine/clock.ts';
import type { Time } from '../platform/time.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Entry } from '../record/call.ts';
import type { Outcome, RetryReason } from '../record/outcome.ts';
import { ownFields } from '../record/own-fields.ts';

/**
 * The way to the relay. Never rejects: a dead network is normal.
 *
 * @param keepalive has the request outlive the page; the browser refuses it where the page's own requests use up its budget
 */
export type RelayClient = (batch: readonly Entry[], keepalive: boolean) => Promise<Outcome>;

/** The request that carries a batch. `leavesNow`: else it is not known when it leaves. */
export type RelayRequest = (
  batch: readonly Entry[],
  leavesNow: boolean,
) => readonly [url: string, init: RequestInit];

export type RequestPorts = {
  readonly endpoint: string;
  readonly device: () => string;
  /** The identity token at hand for a batch. */
  readonly token: (batch: readonly Entry[]) => string | undefined;
  readonly clock: Clock;
  readonly time: Time;
};

// A request that takes longer is given up; the relay stores within a second or two, or is not there.
const TIMEOUT_MS = 15_000;

const { stringify } = JSON;

// Browsers refuse a keepalive body over 64 KiB, all those under way counted together; the rest is for the site's own.
// https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
export const MAX_KEEPALIVE_BYTES = 60_000;

/** `"name":value,`; nothing where there is no value. */
function field(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? '' : `"${name}":${stringify(value)},`;
}

/**
 * Requests as the wire protocol has them: a string goes as text/plain, so no preflight precedes it. Written by hand, for a
 * page may have changed what `JSON.stringify` makes of arrays, objects and dates.
 */
export function relayRequests({ endpoint, device, token, clock, time }: RequestPorts): RelayRequest {
  const toRecord = (entry: Entry): string => {
    const { kind, id, json, userId, anonymousId } = ownFields(entry);
    const made = kind === 'event' ? clock.eventTime(entry) : undefined;
    return `{${field('kind', kind)}${field('id', id)}${field('userId', userId)}${field('anonymousId', userId ? undefined : anonymousId)}${field('eventTime', made)}${json ? `${json},` : ''}"age":${Math.max(0, Math.round(clock.ageOf(entry)))}}`;
  };

  return (batch, leavesNow) => {
    // `yyyy-MM-ddTHH:mm:ssZ`. Without it the relay goes by the offset alone.
    const sentAt = leavesNow ? `${formatDate(time.wall(), 0)?.slice(0, 19)}Z` : undefined;
    const records = batch.map(toRecord).join();
    const body = `{"v":1,${field('sentAt', sentAt)}${field('device', device())}${field('token', token(batch))}${field('clockOffset', clock.offset())}"lenient":true,"records":[${records}]}`;
    const init: RequestInit = { __proto__: null, method: 'POST', body, credentials: 'omit' } as RequestInit;
    return [`${endpoint}/v1/batch`, init];
  };
}

/** What an answer means for the records. The body must have been read to its end: else its keepalive budget is gone. */
export function readAnswer(
  status: number,
  body: string,
  retryAfter: string | null,
  clock: Pick<Clock, 'now'>,
): Outcome & { readonly now?: number | undefined } {
  // What is not JSON is not the relay's: the records stay where they are.
  const answer = ownFields<Answer & Refusal>(tryOrUndefined(() => JSON.parse(body)));
  const { rejected, duplicates = 0, repaired = [], now } = answer;
  const { code, message = '' } = ownFields(answer.error);
  if (
    status >= 200 &&
    status < 300 &&
    ownFields(answer.response).status === 'queued' &&
    Array.isArray(rejected)
  )
    return { kind: 'settled', rejected, duplicates, repaired, now };
  // Only on the relay's own word: a proxy that answers 400 to everything must not cost a single record.
  if (code === 'invalid_batch' || code === 'too_large') return { kind: 'refused', message, now };
  return {
    kind: 'retry',
    reason: code === 'invalid_token' ? 'token_required' : reasonOf(status, !!code),
    afterMs: retryAfterMs(retryAfter, now ?? clock.now()),
    isForeign: !code && status !== 429,
    now,
  };
}

function reasonOf(status: number, isRelays: boolean): RetryReason {
  if (status === 429) return 'rate_limited';
  if (status === 408 || status >= 500) return 'unavailable';
  return isRelays ? 'forbidden' : 'unexpected_response';
}

export function relayClient(
  request: RelayRequest,
  fetch: typeof globalThis.fetch,
  clock: Clock,
  { mono, timer }: Time,
): RelayClient {
  return (batch, keepalive) =>
    new Promise((resolve) => {
      const [url, init] = request(batch, true);
      const abort = new AbortController();
      const fail = () => resolve({ kind: 'retry', reason: 'network' });
      // Not the signal alone: of a request begun as the page was left, Firefox tells a page that comes back nothing at all.
      const cancel = timer(() => {
        abort.abort();
        fail();
      }, TIMEOUT_MS);
      const sentMono = mono();
      // Async, for a wrapper that some tool has put around it, and that throws.
      const answer = async () => {
        const response = await fetch(url, { ...init, keepalive, signal: abort.signal });
        const text = await response.text();
        const { now, ...outcome } = readAnswer(
          response.status,
          text,
          response.headers.get('retry-after'),
          clock,
        );
        if (now !== undefined && Number.isFinite(now)) clock.learn(now, sentMono);
        resolve(outcome);
      };
      answer().catch(fail).finally(cancel);
    });
}
