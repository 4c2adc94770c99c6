import type { Rejection } from '../../contract/answer.ts';

/** Why records could not be settled for now. */
export type RetryReason =
  | 'network'
  | 'unavailable'
  | 'rate_limited'
  | 'forbidden'
  /**
   * A proxy, captive portal or firewall answered in place of the relay, or the relay refused the whole batch.
   */
  | 'unexpected_response'
  /** The relay asks for an identity token, and the page has none that it accepts. */
  | 'token_required'
  /** The tracker itself failed. */
  | 'internal_error';

/** Part of a record that was cut or left out so that the rest could be sent. */
export type Repair = {
  /** The field, such as `eventData.Price`. */
  readonly path: string;
  /** The rule that it broke. */
  readonly rule: string;
  /** `kept`: nothing was changed, but WebEngage may not accept it. */
  readonly done: 'cut' | 'left_out' | 'kept';
};

/** The outcome of one batch. Without a reason it was settled; with one, all its records are kept. */
export type Outcome = {
  readonly reason?: RetryReason;
  /** How long the relay asks to wait. Not a positive number if it does not ask. */
  readonly afterMs?: number;
  /**
   * Whether one record may be at fault: `sure` if the relay says so, `maybe` if something on
   * the way has answered.
   */
  readonly suspects?: 'sure' | 'maybe' | false;
  /** What the relay says is wrong. */
  readonly message?: string | undefined;
  readonly rejected?: readonly Rejection[];
  readonly duplicates?: number;
  readonly repaired?: readonly (Repair & { readonly id: string })[];
};

/** A pause after a failure: its start and end by the relay's clock, and the reason. */
export type Pause = { readonly since: number; readonly until: number; readonly reason: RetryReason };

/** How a flush ended. With a reason, records have to wait. Without one, nothing needs to be sent now. */
export type FlushEnd = {
  readonly reason?: RetryReason | 'tokens';
  /** How long until something may or must be sent, if anything waits at all. */
  readonly forMs?: number;
  /** When the oldest record that has to wait was made, by the page's monotonic clock. */
  readonly oldestAt?: number;
};

/** Why the tracker gave up a record. The list is closed: there is no other reason. */
export type DropReason =
  /** Older than `maxAgeMs`. */
  | 'expired'
  /** Among the oldest, when the buffer held more than `maxRecords`. */
  | 'over_max_records'
  /** The visitor opted out. */
  | 'opted_out';

/** How a record ends: stored or refused for good by the relay, or given up by the tracker. */
export type Disposition = 'delivered' | 'rejected' | DropReason;

/** The result of a flush: everything is settled, or why it is not and when the tracker tries again. */
export type FlushResult =
  | { readonly settled: true }
  /** The records are kept and sent later. */
  | {
      readonly settled: false;
      /** `no_consent`: the visitor has yet to choose, so nothing has been read. */
      readonly reason: RetryReason | 'no_consent';
      /** `Infinity` while the tracker waits for a sign-in or for consent. */
      readonly retryInMs: number;
    };
