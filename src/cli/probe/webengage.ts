import { readSaid } from '../../edge/delivery/error-text.ts';
import { verdictOf } from '../../edge/delivery/verdict.ts';
import { rateLimitOf } from '../../edge/delivery/webengage.ts';
import type { RelaySettings } from '../../edge/settings/settings.ts';
import type { ProbeCall, Reply } from './question.ts';

/** What came back from the privacy API. */
export type PrivacyReply = {
  /** 0: no answer, or none in time. */
  readonly status: number;
  readonly body: string;
};

/** The account that is probed. Neither call rejects, follows a redirect, or tells the key to anybody else. */
export type WebEngage = {
  readonly bulk: (call: ProbeCall) => Promise<Reply & { readonly pauseMs?: number }>;
  /** Asks for the data of one user. `requestId` must be new. */
  readonly portability: (userId: string, requestId: string) => Promise<PrivacyReply>;
};

type Account = Pick<RelaySettings, 'upstream' | 'licenseCode' | 'apiKeys'>;

// The largest body is a megabyte, and may have a slow line.
const TIMEOUT_MS = 30_000;

/** @param signal aborted once the run is interrupted */
export function webEngage(
  { upstream, licenseCode, apiKeys }: Account,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): WebEngage {
  const post = (path: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${upstream}/v1/accounts/${licenseCode}/${path}`, {
      method: 'POST',
      body,
      headers: {
        ...headers,
        Authorization: `Bearer ${apiKeys.primary}`,
        'Content-Type': 'application/json',
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  return {
    bulk: async ({ path, requestId, body }) => {
      try {
        const answer = await post(path, body, { 'x-request-id': requestId });
        const { status, headers } = answer;
        const said = await readSaid(answer, [apiKeys.primary]);
        const retryAfter = headers.get('Retry-After');
        const verdict = verdictOf({ status, retryAfter, says: said.says }, Date.now());
        const rateLimit = rateLimitOf(headers);
        const isJson = said.says !== undefined;
        return {
          status,
          verdict: verdict.kind === 'refused' && !isJson ? 'unknown' : verdict.kind,
          isJson,
          words: said.words,
          ...(rateLimit && { rateLimit }),
          ...(verdict.kind === 'paused' && { pauseMs: verdict.forMs }),
        };
      } catch {
        return { status: 0, verdict: 'unknown', isJson: false, words: '' };
      }
    },
    portability: async (userId, requestId) => {
      const request = {
        subject_request_id: requestId,
        subject_request_type: 'portability',
        subject_identities: [{ identity_type: 'cuid', identity_value: userId }],
      };
      try {
        const answer = await post('opengdpr_requests', JSON.stringify(request));
        return { status: answer.status, body: await answer.text() };
      } catch {
        return { status: 0, body: '' };
      }
    },
  };
}
