import ky from 'ky';
import type { RecordKind } from '../../contract/record.ts';
import type { KeyName } from '../gate/state.ts';
import type { StoredRecord } from '../queue/run.ts';
import type { RelaySettings } from '../settings/settings.ts';
import { readSaid } from './error-text.ts';

export type UpstreamCall = {
  readonly kind: RecordKind;
  readonly requestId: string;
  readonly records: readonly StoredRecord[];
  readonly key: KeyName;
  /** Ends the call before its time is over. */
  readonly signal?: AbortSignal;
};

/** WebEngage's answer to a call. */
export type UpstreamAnswer = {
  /** 0: no answer, or none in time. */
  readonly status: number;
  readonly retryAfter: string | null;
  /** `response.status` in WebEngage's JSON, empty if it has none. Undefined if the body is no JSON object. */
  readonly says: string | undefined;
  /** WebEngage's message, or the text of any other body, for the operator. Never contains the key. */
  readonly words: string;
  /** The size of the call's body. */
  readonly bytes: number;
  /** `X-RateLimit-Limit` and `X-RateLimit-Remaining`, if the answer has both. */
  readonly rateLimit: { readonly limit: number; readonly remaining: number } | undefined;
};

/** Makes a call to WebEngage. Never rejects. */
export type Upstream = (call: UpstreamCall) => Promise<UpstreamAnswer>;

// Long enough for a slow answer, short enough not to hold up the queue. A call that is cut off is sent again
// under the same id.
const TIMEOUT_MS = 10_000;

const NO_ANSWER = { status: 0, retryAfter: null, says: undefined, words: '', rateLimit: undefined };

/** The body of a bulk call: the records as stored, without our own ids. */
export function bulkBody({ kind, records }: Pick<UpstreamCall, 'kind' | 'records'>): string {
  return JSON.stringify({ [`${kind}s`]: records.map(({ id: _, ...record }) => record) });
}

export function webEngage({
  upstream,
  licenseCode,
  apiKeys,
}: Pick<RelaySettings, 'upstream' | 'licenseCode' | 'apiKeys'>): Upstream {
  return async (call) => {
    const apiKey = apiKeys[call.key] ?? apiKeys.primary;
    const body = new TextEncoder().encode(bulkBody(call));
    const bytes = body.byteLength;
    try {
      const response = await ky.post(`${upstream}/v1/accounts/${licenseCode}/bulk-${call.kind}s`, {
        body,
        // Built from scratch: nothing a browser sent reaches WebEngage except checked records.
        headers: {
          Authorization: `Bearer ${apiKey}`,
          'Content-Type': 'application/json',
          'x-request-id': call.requestId,
        },
        // The key goes nowhere else, even if the answer is a redirect.
        redirect: 'manual',
        // The outbox retries, with the same records and the same id, even after a crash.
        retry: 0,
        throwHttpErrors: false,
        // ky's own timeout ends with the headers, but a body can hang too. So a signal is used instead.
        timeout: false,
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(call.signal ? [call.signal] : [])]),
      });
      return {
        status: response.status,
        retryAfter: response.headers.get('Retry-After'),
        ...(await readSaid(response, Object.values(apiKeys))),
        rateLimit: rateLimitOf(response.headers),
        bytes,
      };
    } catch {
      return { ...NO_ANSWER, bytes };
    }
  };
}

/** What an answer says of the account's limit. Undefined if it does not have both headers. */
export function rateLimitOf(headers: Headers): UpstreamAnswer['rateLimit'] {
  const [limit, remaining] = ['X-RateLimit-Limit', 'X-RateLimit-Remaining'].map((name) => {
    const text = headers.get(name) ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  });
  return limit === undefined || remaining === undefined ? undefined : { limit, remaining };
}
