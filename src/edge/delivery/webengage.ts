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
};

/** What came back. */
export type UpstreamAnswer = {
  /** 0: no answer in time, or none at all. */
  readonly status: number;
  readonly retryAfter: string | null;
  /** `response.status` of WebEngage's JSON, empty where it has none; undefined where the body is no JSON object. */
  readonly says: string | undefined;
  /** WebEngage's message, or the text of whatever came instead, for the operator. Never holds the key. */
  readonly words: string;
  /** How large the call was. */
  readonly bytes: number;
  /** `X-RateLimit-Limit` and `X-RateLimit-Remaining`, where both came. */
  readonly rateLimit: { readonly limit: number; readonly remaining: number } | undefined;
};

/** The way to WebEngage. Never rejects. */
export type Upstream = (call: UpstreamCall) => Promise<UpstreamAnswer>;

// Long enough for a slow answer, short enough not to hold the queue; what it cuts off is sent again under the same id.
const TIMEOUT_MS = 10_000;

const NO_ANSWER = { status: 0, retryAfter: null, says: undefined, words: '', rateLimit: undefined };

/** The body of a bulk call: the records as they came, without the ids that are ours. */
export function bulkBody({ kind, records }: Pick<UpstreamCall, 'kind' | 'records'>): string {
  return JSON.stringify({ [`${kind}s`]: records.map(({ id: _, ...record }) => record) });
}

export function webEngage({ upstream, licenseCode, apiKeys }: RelaySettings): Upstream {
  return async (call) => {
    const apiKey = apiKeys[call.key] ?? apiKeys.primary;
    const body = new TextEncoder().encode(bulkBody(call));
    const bytes = body.byteLength;
    try {
      const response = await ky.post(`${upstream}/v1/accounts/${licenseCode}/bulk-${call.kind}s`, {
        body,
        // From scratch: nothing a browser sent reaches WebEngage but checked records.
        headers: {
          Authorization: `Bearer ${apiKey}`,
          'Content-Type': 'application/json',
          'x-request-id': call.requestId,
        },
        // The key goes nowhere else, whoever asks.
        redirect: 'manual',
        // The outbox retries: with the same members and the same id, and through a crash.
        retry: 0,
        throwHttpErrors: false,
        // A signal, not ky's own timeout: that one ends with the headers, and a body can hang too.
        timeout: false,
        signal: AbortSignal.timeout(TIMEOUT_MS),
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

function rateLimitOf(headers: Headers): UpstreamAnswer['rateLimit'] {
  const [limit, remaining] = ['X-RateLimit-Limit', 'X-RateLimit-Remaining'].map((name) => {
    const text = headers.get(name) ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  });
  return limit === undefined || remaining === undefined ? undefined : { limit, remaining };
}
