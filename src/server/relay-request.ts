import type { Answer, Refusal, RefusalCode, Rejection } from '../contract/answer.ts';
import { PROTOCOL_VERSION } from '../contract/batch.ts';
import type { Lane } from '../contract/lane.ts';
import { retryAfterMs } from '../pacing/retry-after.ts';
import type { Settings } from './options.ts';
import type { ServerPlatform } from './platform.ts';
import { RelayError } from './relay-error.ts';

/** What became of a request. */
export type Outcome =
  /** The relay has stored each record, or rejected it for good. */
  | {
      readonly kind: 'settled';
      /** How many of the records the relay had stored before. */
      readonly duplicates: number;
      readonly rejected: readonly Rejection[];
    }
  /** The same records may be sent again. Whether the relay has stored them is not known. */
  | {
      readonly kind: 'retry';
      readonly why: string;
      /** Of the answer, if there was one. */
      readonly status?: number;
      readonly afterMs: number | undefined;
    }
  /** The same request would be refused again. */
  | {
      readonly kind: 'refused';
      readonly error: RelayError;
      /** One of the records may be at fault, and not the settings. */
      readonly isMaybeOne: boolean;
    };

const REMEDY: Partial<Readonly<Record<RefusalCode, string>>> = {
  invalid_token: 'set token to the SERVER_TOKEN of this relay',
  origin_not_allowed: 'send from a server; in a page, use createTracker',
  unsupported_version: 'update the relay to the version of this package',
};

// A status at which an answer of something on the way is about the whole endpoint, and not about one record.
const OF_ENDPOINT: ReadonlySet<number> = new Set([401, 404, 405, 407]);

type Body = Partial<Answer & Refusal>;

/** The relay, and how to send there. */
export type Target = Pick<Settings, 'endpoint' | 'token' | 'timeoutMs'>;

/** Records of one device, each as JSON, in order. */
export type RelayBatch = {
  readonly device: string;
  /** If it is not the lane that a server has by default. */
  readonly lane?: Lane;
  readonly records: readonly string[];
};

function parse(text: string): Body {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    return {}; // Not the relay's answer.
  }
}

/** What an answer means for the records of its request. */
function judge({ status, ok, headers }: Response, body: Body, target: Target, now: number): Outcome {
  const { response, duplicates = 0, rejected, error } = body;
  if (ok && response?.status === 'queued' && Array.isArray(rejected))
    return { kind: 'settled', duplicates, rejected };
  if (status === 408 || status === 429 || status >= 500)
    return {
      kind: 'retry',
      status,
      why: `status ${status}${error === undefined ? '' : `: ${error.message}`}`,
      afterMs: retryAfterMs(headers.get('Retry-After'), now),
    };
  if (error === undefined) {
    const remedy =
      status >= 300 && status < 400
        ? 'set it to the address after the redirect'
        : 'check it, and what is before it';
    return {
      kind: 'refused',
      error: new RelayError(
        'not_a_relay',
        `endpoint ${target.endpoint} answered ${status}, but not as a relay does: ${remedy}`,
      ),
      isMaybeOne: status >= 400 && !OF_ENDPOINT.has(status),
    };
  }
  const { code, message } = error;
  const remedy = REMEDY[code];
  return {
    kind: 'refused',
    error: new RelayError(
      code === 'invalid_token' ? code : 'refused',
      `the relay refused the request (${code}): ${message}${remedy === undefined ? '' : `: ${remedy}`}`,
    ),
    isMaybeOne: code === 'invalid_batch' || code === 'too_large',
  };
}

/** The reason that a failed `fetch` gives, as short as there is one. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as {
    readonly message?: string;
    readonly cause?: { readonly code?: string };
  };
  return cause?.code ?? message ?? String(error);
}

/**
 * Sends records of one device, in order. Never rejects: a dead network is normal.
 *
 * @param stop ends the request
 */
export async function sendRecords(
  { fetch, time }: Pick<ServerPlatform, 'fetch' | 'time'>,
  target: Target,
  { device, lane, records }: RelayBatch,
  stop: AbortController,
): Promise<Outcome> {
  const { endpoint, token, timeoutMs } = target;
  const envelope = `"v":${PROTOCOL_VERSION},${lane === undefined ? '' : `"lane":"${lane}",`}"device":"${device}"`;
  const body = `{${envelope},"records":[${records.join()}]}`;
  const exchange = async (): Promise<Outcome> => {
    const response = await fetch(`${endpoint}/v1/batch`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body,
      // The token goes to no other address.
      redirect: 'manual',
      signal: stop.signal,
    });
    return judge(response, parse(await response.text()), target, time.wall());
  };
  return new Promise((resolve) => {
    const fail = (why: string) => resolve({ kind: 'retry', why, afterMs: undefined });
    const cancel = time.timer(() => {
      fail(`no answer within ${timeoutMs} ms`);
      stop.abort();
    }, timeoutMs);
    exchange()
      .then(resolve, (error) => fail(reasonOf(error)))
      .finally(cancel);
  });
}
