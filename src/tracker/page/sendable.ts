import type { Entry, StoredEntry } from '../record/call.ts';

/** Separates records that may be sent from those that wait for an identity token. */
export type Sendable = {
  /** The oldest records that may be sent. */
  readonly peek: (limit: number) => Promise<readonly StoredEntry[]>;
  /**
   * The token for the records of one user. Undefined if they need no token.
   * Null if the token is missing: the records have to wait, and if that user is signed in, the site is asked
   * for one. The core passes a single record to learn whether it may be sent.
   */
  readonly token: (batch: readonly Entry[]) => string | null | undefined;
  /** The first of these that may share one request. `onUnload` is set during unload. */
  readonly together: <E extends Entry>(entries: readonly E[], onUnload?: boolean) => readonly E[];
  /** Records whether the relay accepted a batch's token. Returns false if the batch had none. */
  readonly answered: (batch: readonly Entry[], isTaken: boolean) => boolean;
  /** Forgets failures, because the network is back. */
  readonly retry: () => void;
};
