import type { Entry, StoredEntry } from '../record/call.ts';

/** Tells the records that may leave from those that wait for an identity token. */
export type Sendable = {
  /** The oldest records that may leave. */
  readonly peek: (limit: number) => Promise<readonly StoredEntry[]>;
  /**
   * The token for the records of one user. Undefined if they need none. Null if there is none yet: the records have to wait,
   * and if that user is signed in, the site is asked for one. With a single record the core asks whether it may be sent.
   */
  readonly token: (batch: readonly Entry[]) => string | null | undefined;
  /** The first of these that may travel in one request; as the page is left it is asked `onUnload`. */
  readonly together: <E extends Entry>(entries: readonly E[], onUnload?: boolean) => readonly E[];
  /** Takes what the relay makes of a batch's token; false where it had none. */
  readonly answered: (batch: readonly Entry[], isTaken: boolean) => boolean;
  /** Forgets failures: the network is back. */
  readonly retry: () => void;
};
