/** WebEngage's own request to erase a user, as it was filed. */
export type ErasureRequest = {
  /** The `subject_request_id`, by which WebEngage knows the request. */
  readonly id: string;
  readonly filed: boolean;
  /** The status of WebEngage's answer; 0: none. */
  readonly status: number;
};

/** What `POST /admin/erase` answers. It contains no id of the person. */
export type ErasureReceipt = {
  /** Every outbox has answered, and WebEngage if it was asked. Otherwise the same request is to be repeated. */
  readonly complete: boolean;
  /** What was removed. `violations`: kinds of violation that contained the id. */
  readonly erased: { readonly waiting: number; readonly deadLetters: number; readonly violations: number };
  /** Records in calls that may have reached WebEngage. They are erased once the outcome is known. */
  readonly inFlight: number;
  /** Until then, in milliseconds since 1970, the relay refuses records of the person. Null if that was lifted. */
  readonly suppressedUntil: number | null;
  /** How many outboxes have answered. */
  readonly outboxes: number;
  /** The names of those that have not. */
  readonly unanswered: readonly string[];
  /** WebEngage's own request. Null if none was filed: it was not asked for, or an outbox has not answered. */
  readonly upstream: ErasureRequest | null;
};
