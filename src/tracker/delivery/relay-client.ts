import type { Answer, Refusal } from '../../contract/answer.ts';
import { formatDate } from '../../contract/rules/date.ts';
import { clockOffset, eventTime, knownAge, learnOffset, relayNow } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import { hasOwnField, isArray } from '../record/built-ins.ts';
import type { Entry } from '../record/call.ts';
import type { Outcome, RetryReason } from '../record/outcome.ts';
import { bare, ownFields } from '../record/own-fields.ts';
import { toFields } from '../record/quote.ts';

// A request that takes longer is aborted. The relay stores a batch within a second or two, or is down.
const TIMEOUT_MS = 15_000;

// Browsers refuse keepalive bodies of over 64 KiB, for all requests in flight together. The rest
// is left to the site.
// https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
export const MAX_KEEPALIVE_BYTES = 60_000;

/** A record in the form of the wire protocol. Its own fields were serialized when it was made. */
function toRecord(page: Page, entry: Entry): string {
  const { kind, id, json, userId, anonymousId } = entry;
  const fields = toFields({
    kind,
    id,
    userId,
    anonymousId,
    eventTime: kind === 'event' ? eventTime(page, entry) : undefined,
    age: knownAge(page, entry),
  });
  return `{${fields}${json && `,${json}`}}`;
}

/**
 * The request that carries a batch. A string is sent as text/plain, which needs no preflight.
 *
 * @param leavesNow false if it is unknown when the request is sent
 */
export function relayRequest(
  page: Page,
  batch: readonly Entry[],
  leavesNow: boolean,
): readonly [url: string, init: RequestInit & { readonly hasOwnProperty: unknown }] {
  const fields = toFields({
    v: 1,
    // `yyyy-MM-ddTHH:mm:ssZ`. Without it the relay uses only the offset.
    sentAt: leavesNow ? formatDate(page.time.wall(), 0)?.replace('+0000', 'Z') : undefined,
    device: page.visitor.device,
    token: page.tokens?.token(batch) ?? undefined,
    clockOffset: clockOffset(page),
    // A program drives the browser. The property may be missing, as in a worker, or a page's own.
    bot: globalThis.navigator?.webdriver ? true : undefined,
    lenient: true,
  });
  const body = `{${fields},"records":[${batch.map((entry) => toRecord(page, entry)).join()}]}`;
  // It is sent without a prototype, and wrappers that pages put around `fetch` may call this method.
  return [
    `${page.settings.endpoint}/v1/batch`,
    { method: 'POST', body, credentials: 'omit', hasOwnProperty: hasOwnField },
  ];
}

/** What a response means for the records. */
function readAnswer(
  { ok, status, headers }: Response,
  answer: Partial<Answer & Refusal>,
  now: number,
): Outcome {
  const { rejected, duplicates = 0, repaired = [] } = answer;
  if (ok && ownFields(answer.response).status === 'queued' && isArray(rejected))
    return bare({ rejected, duplicates, repaired });
  const { code, message } = ownFields(answer.error);
  // Only the relay itself can refuse a batch: a proxy that answers 400 to everything must
  // not cost one record.
  const after = headers.get('retry-after') ?? '';
  const isRefused = code === 'invalid_batch' || code === 'too_large';
  return bare({
    reason: isRefused ? 'unexpected_response' : reasonOf(status, code),
    // Seconds or a date. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    afterMs: Number(after) * 1000 || Date.parse(after) - now,
    message: isRefused ? message : undefined,
    suspects: isRefused ? 'sure' : !code && status !== 429 && 'maybe',
  });
}

function reasonOf(status: number, code: string | undefined): RetryReason {
  if (code === 'invalid_token') return 'token_required';
  if (status === 429) return 'rate_limited';
  if (status === 408 || status >= 500) return 'unavailable';
  return code && status !== 400 ? 'forbidden' : 'unexpected_response';
}

/**
 * Sends a batch to the relay. Never rejects: a dead network is normal.
 *
 * @param keepalive lets the request outlive the page. Only for an unload: the browser refuses it if the
 * page's own requests have used up the budget.
 */
export function sendBatch(page: Page, batch: readonly Entry[], keepalive = false): Promise<Outcome> {
  const { time } = page;
  const sentMono = time.mono();
  const exchange = async (): Promise<Outcome> => {
    const [url, init] = relayRequest(page, batch, true);
    const signal = AbortSignal.timeout?.(TIMEOUT_MS);
    const response = await page.fetch(url, bare({ ...init, keepalive, signal }));
    // Read to the end: otherwise the request keeps its keepalive budget.
    const text = await response.text();
    // A response that is not JSON is not the relay's: the records stay in the buffer.
    const answer = ownFields<Answer & Refusal>(tryOrUndefined(() => JSON.parse(text)));
    const { now = Number.NaN } = answer;
    if (Number.isFinite(now)) {
      page.isClockConfirmed = true;
      learnOffset(page, time.wall() - now - (time.mono() - sentMono) / 2);
    }
    return readAnswer(response, answer, relayNow(page));
  };
  return new Promise<Outcome>((resolve) => {
    const fail = () => resolve(bare({ reason: 'network' }));
    // Not the signal alone: if a request began during unload and the page came back,
    // Firefox never settles it.
    const cancel = time.timer(fail, TIMEOUT_MS);
    exchange().then(resolve, fail).finally(cancel);
  });
}
