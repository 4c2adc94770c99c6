import type { Issue } from './issue.ts';
import type { Repair } from './repair/repair.ts';

/** A record that the contract refuses for good. */
export type Rejection = { readonly id: string; readonly issues: readonly Issue[] };

/** One change to one record that lets it pass. */
export type Repaired = Repair & { readonly id: string };

/** The relay's 202. Every record of the batch is settled: `accepted + duplicates + rejected` is the number sent. */
export type Answer = {
  readonly response: { readonly status: 'queued' };
  /** Records stored by this request. */
  readonly accepted: number;
  /** Records stored by an earlier request. */
  readonly duplicates: number;
  readonly rejected: readonly Rejection[];
  /** Changes that let records pass, in the order of the records. An answer holds only a limited number of them. */
  readonly repaired: readonly Repaired[];
  /** The relay's clock, in milliseconds since 1970. */
  readonly now: number;
};

/** Why the relay refused a whole batch. */
export type RefusalCode =
  | 'invalid_batch'
  /** The relay does not speak this protocol version. The sender keeps its records and sends them later. */
  | 'unsupported_version'
  /** Admin API only. */
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
