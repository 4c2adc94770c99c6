import type { Sendable, SendablePorts } from '../delivery/sendable.ts';
import type { Clock } from '../engine/clock.ts';
import type { Emit } from '../engine/events.ts';
import type { Time } from '../platform/time.ts';
import type { Call } from '../record/call.ts';
import type { Captured } from '../record/capture.ts';
import type { Repair } from '../record/outcome.ts';

/** What holds until the visitor has chosen on this page. */
export type Consent = 'granted' | 'pending' | 'denied';

/** Calls that wait in memory for the visitor's choice. */
export type PendingCalls = {
  /** Resolves once the call is made or let go. */
  readonly add: (call: Call) => Promise<void>;
  /** Has all of them made, in the order they came. */
  readonly release: (make: (call: Call) => Promise<void>) => void;
  readonly discard: () => void;
};

/** All that an add-on for tokens works with. */
export type TokenPorts = SendablePorts & {
  readonly time: Time;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly maxAgeMs: number;
  /** Who is signed in now. */
  readonly signedIn: () => string | undefined;
  /** To be called when tokens have changed. `sendsNow`: records may leave that were skipped. */
  readonly changed: (sendsNow: boolean) => void;
};

/** What an add-on changes about a tracker. Made by `consent()`, `identityTokens()` and `checks()`. */
export type AddOn = {
  readonly consent?: {
    /** What the visitor lets be kept and sent at the start. */
    readonly initial: (sendsGpc: () => boolean) => Consent;
    /** Where calls wait. Of more than `maxRecords` it lets go the oldest event, and tells. */
    readonly pending: (maxRecords: number, dropped: (call: Call) => void) => PendingCalls;
  };
  /** Decides which records may leave, and with which token. */
  readonly sendable?: (ports: TokenPorts) => Sendable;
  /**
   * Judges a call as the relay will: adds to its repairs what the relay would change, and answers with the call so changed.
   * May throw a `RecordError`: then no record is made, and nothing is told.
   */
  readonly check?: (captured: Captured, repairs: Repair[]) => Captured;
};
