import type { Entry, StoredEntry } from '../record/call.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { Unsettled } from '../unload/unsettled.ts';
import type { SetAside } from './set-aside.ts';

/** Tells the records that may leave from those that have to wait for something of their own. */
export type Sendable = {
  /** Whether records need identity tokens. */
  readonly hasTokens: boolean;
  /** The oldest records that may leave. */
  readonly peek: (limit: number) => Promise<readonly StoredEntry[]>;
  readonly maySend: (entry: Entry) => boolean;
  /** The first of these that may travel in one request; as the page is left it is asked `onUnload`. */
  readonly together: <E extends Entry>(entries: readonly E[], onUnload?: boolean) => readonly E[];
  /** The identity token for a batch. */
  readonly token: (batch: readonly Entry[]) => string | undefined;
  /** Takes what the relay makes of a batch's token; false where it had none. */
  readonly answered: (batch: readonly Entry[], isTaken: boolean) => boolean;
  /** After a flush: how long until records that were skipped may leave; undefined where none were. */
  readonly skippedForMs: (dueBefore: number) => Promise<number | 'again' | undefined>;
  /** Forgets failures: the network is back. */
  readonly retry?: () => void;
};

export type SendablePorts = {
  readonly store: RecordStore;
  readonly unsettled: Unsettled;
  readonly setAside: SetAside;
};

/** All records may leave, but those that were set aside. */
export function allSendable({ store, unsettled, setAside }: SendablePorts): Sendable {
  return {
    hasTokens: false,
    peek: async (limit) => {
      const skipped: StoredEntry[] = [];
      const oldest = await store.peek(limit, 0, (entry) => !setAside.has(entry) || skipped.push(entry) < 0);
      unsettled.resync(oldest, oldest.length < limit, skipped);
      return oldest;
    },
    maySend: () => true,
    together: (entries) => entries,
    token: () => undefined,
    answered: () => false,
    skippedForMs: async () => undefined,
  };
}
