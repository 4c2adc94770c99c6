import type { Clock } from '../engine/clock.ts';
import type { Emit } from '../engine/events.ts';
import type { Time } from '../platform/time.ts';
import type { Entry } from '../record/call.ts';

/** Tells the records that may leave from those that wait for an identity token. */
export type Sendable = {
  /**
   * The token for records of one user; undefined where they need none, null where there is none: they wait. It is asked
   * for then, where the user is signed in. The core asks for one record to see whether it may leave.
   */
  readonly token: (batch: readonly Entry[]) => string | null | undefined;
  /** The first of these that may travel in one request; as the page is left it is asked `onUnload`. */
  readonly together: <E extends Entry>(entries: readonly E[], onUnload?: boolean) => readonly E[];
  /** Takes what the relay makes of a batch's token; false where it had none. */
  readonly answered: (batch: readonly Entry[], isTaken: boolean) => boolean;
  /** After a flush: how long until records that wait for a token may leave; undefined where none do. */
  readonly skippedForMs: (dueBefore: number) => Promise<number | 'again' | undefined>;
};

/** What it works with. */
export type SendablePorts = {
  readonly time: Time;
  readonly clock: Clock;
  readonly chance: { readonly random: () => number };
  readonly settings: { readonly maxAgeMs: number };
  readonly emit: Emit;
  /** Who is signed in now. */
  readonly signedIn: () => string | undefined;
  /** To be called when records may leave that could not before. */
  readonly changed: () => void;
};
