/** The most that a restore would cost, as far as it is known before. */
export type Estimate = {
  readonly lostAtMost: number;
  /** Null if the outbox was restored to an earlier moment since: its counts say nothing then. */
  readonly sentTwiceAtMost: number | null;
};

/** The most that a restore costs. `estimate` comes before it, and this while the outbox is on hold after it. */
export type Cost = Estimate & {
  /** Of the records that are sent twice, at most this many are sent under their first `x-request-id`. */
  readonly underSameIdAtMost: number;
  /** Their ids are forgotten: a browser that sends one of them again makes it a new record. */
  readonly forgotten: number | null;
};

/** What `POST /admin/restore` answers to a dry run. Nothing was changed. */
export type RestorePreview = Estimate & {
  readonly outbox: string;
  readonly at: string;
  readonly onHold: false;
};

/** What `POST /admin/restore` answers once the outbox is restored, and to a dry run until it is resumed. */
export type RestoreReport = Cost & {
  readonly outbox: string;
  readonly at: string;
  readonly onHold: true;
  /** What the outbox holds now. */
  readonly records: number;
  readonly deadLetters: number;
  /** Nothing was ever counted in the outbox as it is now. It may not have existed at the moment. */
  readonly isNew: boolean;
  readonly undoBookmark: string | null;
};
