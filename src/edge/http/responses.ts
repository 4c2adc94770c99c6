import type { Refusal, RefusalCode } from '../../contract/answer.ts';
import { REFUSED_BATCHES, type RefusedBatch } from '../telemetry/observations.ts';

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

/** Why a batch got an answer with this status. */
export function reasonOf(status: number): RefusedBatch {
  return REFUSED_BATCHES.find((code) => STATUS[code] === status) ?? 'unavailable';
}

/** Refuses a whole request. The body carries the relay's clock, from which trackers learn their own offset. */
export function refusal(code: RefusalCode, message: string, headers: Record<string, string> = {}): Response {
  const body: Refusal = { error: { code, message }, now: Date.now() };
  return Response.json(body, { status: STATUS[code], headers });
}
