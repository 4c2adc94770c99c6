import type { Issue } from './issue.ts';

/** A record the contract refuses, for good. */
export type Rejection = { readonly id: string; readonly issues: readonly Issue[] };

/** The relay's 202: every record of the batch is settled, and `accepted + duplicates + rejected` is their number. */
export type Answer = {
  readonly response: { readonly status: 'queued' };
  /** Stored by this request. */
  readonly accepted: number;
  /** Stored before. */
  readonly duplicates: number;
  readonly rejected: readonly Rejection[];
};

/** Why the relay refused a whole batch. */
export type RefusalCode =
  | 'invalid_batch'
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

export type Refusal = { readonly error: { readonly code: RefusalCode; readonly message: string } };
