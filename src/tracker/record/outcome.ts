import type { Rejection } from '../../contract/answer.ts';

/** Why records could not be settled for now. */
export type RetryReason =
  | 'network'
  | 'unavailable'
  | 'rate_limited'
  | 'forbidden'
  /** The answer is not the relay's: a proxy, a captive portal or a firewall gave it. */
  | 'unexpected_response'
  /** The relay asks for an identity token, and the page has none that it takes. */
  | 'token_required'
  /** An error of the tracker's own. */
  | 'internal_error';

/** One part of a record that was cut or left out so that the rest could go. */
export type Repair = {
  /** The field, as `eventData.Price`. */
  readonly path: string;
  /** The rule it broke. */
  readonly rule: string;
  /** `kept`: nothing was changed, but WebEngage may not take it. */
  readonly done: 'cut' | 'left_out' | 'kept';
};

/** What became of one batch. Without a reason it was settled; with one, all of it is kept. */
export type Outcome = {
  readonly reason?: RetryReason;
  /** How long the relay asks to wait; not a positive number where it does not. */
  readonly afterMs?: number;
  /** One record may be at fault: `sure` by the relay's own word, `maybe` where something on the way has answered. */
  readonly suspects?: 'sure' | 'maybe' | false;
  /** What the relay says is wrong. */
  readonly message?: string;
  readonly rejected?: readonly Rejection[];
  readonly duplicates?: number;
  readonly repaired?: readonly (Repair & { readonly id: string })[];
};

/** A pause after a failure: from when until when, by the relay's clock, and why. */
export type Pause = { readonly since: number; readonly until: number; readonly reason: RetryReason };

/** How a flush ended. With a reason: records have to wait. Without: nothing needs to be sent. */
export type FlushEnd = {
  readonly reason?: RetryReason | 'tokens';
  /** How long until something may or needs to be sent, if anything waits at all. */
  readonly forMs?: number;
  /** The age of the oldest record that has to wait. */
  readonly oldestAgeMs?: number;
};

/** Why the tracker gave up a record. A closed list: nothing ends in any other way. */
export type DropReason =
  /** Older than `maxAgeMs`. */
  | 'expired'
  /** The buffer held more than `maxRecords`, and this was among the oldest. */
  | 'over_max_records'
  /** The visitor opted out. */
  | 'opted_out';

/** How a record ends: settled by the relay, which has stored it or refuses it for good, or given up. */
export type Disposition = 'delivered' | 'rejected' | DropReason;

/** What became of a flush: everything is settled, or why it is not and when it is tried again. */
export type FlushResult =
  | { readonly settled: true }
  /** The records are kept, and sent when the time has come. */
  | {
      readonly settled: false;
      /** `no_consent`: the visitor has yet to choose, so nothing has been looked at. */
      readonly reason: RetryReason | 'no_consent';
      /** `Infinity` where the tracker waits for a sign-in or for consent. */
      readonly retryInMs: number;
    };
