import type { Answer, Refusal } from '../../contract/answer.ts';
import { formatDate } from '../../contract/date.ts';
import type { Clock } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Entry } from '../record/call.ts';
import type { Outcome, RetryReason } from '../record/outcome.ts';
import { ownFields } from '../record/own-fields.ts';

// A request that takes longer is given up; the relay stores within a second or two, or is not there.
const TIMEOUT_MS = 15_000;

const { stringify } = JSON;

// Browsers refuse a keepalive body over 64 KiB, all those under way counted together; the rest is for the site's own.
// https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
export const MAX_KEEPALIVE_BYTES = 60_000;

/** JSON of primitives, without braces: without a prototype, for a page may have given it a `toJSON`. */
function toFields(fields: object): string {
  return stringify({ __proto__: null, ...fields }).slice(1, -1);
}

/** A record as the wire protocol has it. What is within it was written when it was made. */
function toRecord(entry: Entry, clock: Clock): string {
  const { kind, id, json, userId, anonymousId } = entry;
  const fields = toFields({
    kind,
    id,
    userId,
    anonymousId: userId ? undefined : anonymousId,
    eventTime: kind === 'event' ? clock.eventTime(entry) : undefined,
    age: Math.max(0, Math.round(clock.ageOf(entry))),
  });
  return `{${fields}${json && `,${json}`}}`;
}

/**
 * The request that carries a batch: a string goes as text/plain, so no preflight precedes it.
 *
 * @param leavesNow else it is not known when it leaves
 */
export function relayRequest(
  { settings, visitor, tokens, clock, time }: Page,
  batch: readonly Entry[],
  leavesNow: boolean,
): readonly [url: string, init: RequestInit] {
  const fields = toFields({
    v: 1,
    // `yyyy-MM-ddTHH:mm:ssZ`. Without it the relay goes by the offset alone.
    sentAt: leavesNow ? formatDate(time.wall(), 0)?.replace('+0000', 'Z') : undefined,
    device: visitor.device,
    token: tokens?.token(batch) ?? undefined,
    clockOffset: clock.offset(),
    lenient: true,
  });
  const body = `{${fields},"records":[${batch.map((entry) => toRecord(entry, clock)).join()}]}`;
  const init: RequestInit = { __proto__: null, method: 'POST', body, credentials: 'omit' } as RequestInit;
  return [`${settings.endpoint}/v1/batch`, init];
}

/** What an answer means for the records, and the relay's time where it tells it. */
export function readAnswer(
  { ok, status, headers }: Pick<Response, 'ok' | 'status' | 'headers'>,
  body: string,
): readonly [Outcome, now: unknown] {
  // What is not JSON is not the relay's: the records stay where they are.
  const answer = ownFields<Answer & Refusal>(tryOrUndefined(() => JSON.parse(body)));
  const { rejected, duplicates = 0, repaired = [], now } = answer;
  const { code, message = '' } = ownFields(answer.error);
  if (ok && ownFields(answer.response).status === 'queued' && Array.isArray(rejected))
    return [{ rejected, duplicates, repaired }, now];
  // Only on the relay's own word: a proxy that answers 400 to everything must not cost a single record.
  const isRefused = code === 'invalid_batch' || code === 'too_large';
  const afterMs = Number(headers.get('retry-after')) * 1000;
  if (isRefused) return [{ reason: 'unexpected_response', suspects: 'sure', message }, now];
  return [
    { reason: reasonOf(status, code), afterMs, ...(!code && status !== 429 && { suspects: 'maybe' }) },
    now,
  ];
}

function reasonOf(status: number, code: string | undefined): RetryReason {
  if (code === 'invalid_token') return 'token_required';
  if (status === 429) return 'rate_limited';
  if (status === 408 || status >= 500) return 'unavailable';
  return code ? 'forbidden' : 'unexpected_response';
}

/**
 * Sends a batch to the relay. Never rejects: a dead network is normal.
 *
 * @param keepalive has the request outlive the page; the browser refuses it where the page's own requests use up its budget
 */
export async function sendBatch(page: Page, batch: readonly Entry[], keepalive: boolean): Promise<Outcome> {
  const { underWay, time, clock } = page;
  const sentMono = time.mono();
  const exchange = async (): Promise<Outcome> => {
    const [url, init] = relayRequest(page, batch, true);
    const signal = AbortSignal.timeout?.(TIMEOUT_MS);
    const response = await page.fetch(url, { ...init, keepalive, signal });
    // Read to its end: else its keepalive budget is gone.
    const [outcome, now] = readAnswer(response, await response.text());
    if (typeof now === 'number') clock.learn(now, sentMono);
    return outcome;
  };
  underWay.add(batch);
  const outcome = await new Promise<Outcome>((resolve) => {
    const fail = () => resolve({ reason: 'network' });
    // Not the signal alone: of a request begun as the page was left, Firefox tells a page that comes back nothing at all.
    const cancel = time.timer(fail, TIMEOUT_MS);
    exchange().then(resolve, fail).finally(cancel);
  });
  underWay.delete(batch);
  return outcome;
}
