/** The maximum cost of a restore, as far as it is known in advance. */
export type Estimate = {
  readonly lostAtMost: number;
  /** Null if the outbox has been restored since that moment, because its counts are then no measure. */
  readonly sentTwiceAtMost: number | null;
};

/** The maximum cost of a restore that has taken place. It is known until the outbox is resumed. */
export type Cost = Estimate & {
  /** At most this many of the records that are sent twice have the same `x-request-id` both times. */
  readonly underSameIdAtMost: number;
  /** Records whose ids are forgotten. If a browser sends one of them again, it counts as new. */
  readonly forgotten: number | null;
};

/** The answer of `POST /admin/restore` to a dry run. Nothing was changed. */
export type RestorePreview = Estimate & {
  readonly outbox: string;
  readonly at: string;
  readonly onHold: false;
};

/** The answer of `POST /admin/restore` after a restore, also to a dry run until the outbox is resumed. */
export type RestoreReport = Cost & {
  readonly outbox: string;
  readonly at: string;
  readonly onHold: true;
  /** The waiting records of the restored outbox. */
  readonly records: number;
  readonly deadLetters: number;
  /** The restored outbox has never counted anything. It may not have existed at that moment. */
  readonly isNew: boolean;
  readonly undoBookmark: string | null;
};
