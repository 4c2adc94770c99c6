import type { Issue } from './issue.ts';
import type { Repair } from './repair.ts';

/** A record the contract refuses, for good. */
export type Rejection = { readonly id: string; readonly issues: readonly Issue[] };

/** One thing that was changed about one record so that it could go. */
export type Repaired = Repair & { readonly id: string };

/** The relay's 202: every record of the batch is settled, and `accepted + duplicates + rejected` is their number. */
export type Answer = {
  readonly response: { readonly status: 'queued' };
  /** Stored by this request. */
  readonly accepted: number;
  /** Stored before. */
  readonly duplicates: number;
  readonly rejected: readonly Rejection[];
  /** What was changed about records so that they could go, a record in its order; no more of it than an answer has room for. */
  readonly repaired: readonly Repaired[];
  /** The relay's clock, in milliseconds since 1970. */
  readonly now: number;
};

/** Why the relay refused a whole batch. */
export type RefusalCode =
  | 'invalid_batch'
  /** Of a protocol that this relay does not speak: the sender keeps its records, and sends them later. */
  | 'unsupported_version'
  /** Of the operator's. */
  | 'invalid_request'
  | 'invalid_token'
  | 'origin_not_allowed'
  | 'not_found'
  | 'method_not_allowed'
  | 'unsupported_media_type'
  | 'too_large'
  | 'too_slow'
  | 'rate_limited'
  | 'unavailable';

export type Refusal = {
  readonly error: { readonly code: RefusalCode; readonly message: string };
  /** The relay's clock, in milliseconds since 1970. */
  readonly now: number;
};
