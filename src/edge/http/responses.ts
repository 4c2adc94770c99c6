import type { Refusal, RefusalCode } from '../../contract/answer.ts';

const STATUS: Readonly<Record<RefusalCode, number>> = {
  invalid_batch: 400,
  unsupported_version: 400,
  invalid_request: 400,
  invalid_token: 401,
  origin_not_allowed: 403,
  not_found: 404,
  method_not_allowed: 405,
  too_slow: 408,
  too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  unavailable: 503,
};

/** The reason of an answer to a batch. Status 400 has several, which only the body tells apart. */
export function reasonOf(status: number): RefusalCode {
  const [code] = Object.entries(STATUS).find(([, each]) => each === status) ?? [];
  // The keys are all of this type.
  return (code as RefusalCode | undefined) ?? 'unavailable';
}

/** Refuses a whole request. The body carries the relay's clock, from which trackers learn their own offset. */
export function refusal(code: RefusalCode, message: string, headers: Record<string, string> = {}): Response {
  const body: Refusal = { error: { code, message }, now: Date.now() };
  return Response.json(body, { status: STATUS[code], headers });
}
