import type { Emit } from '../engine/events.ts';
import type { TrackerCall } from '../engine/middleware.ts';
import type { Sendable, SendablePorts } from '../delivery/sendable.ts';
import type { Clock } from '../engine/clock.ts';
import type { Time } from '../platform/time.ts';

/** What holds until the visitor has chosen on this page. */
export type Consent = 'granted' | 'pending' | 'denied';

/** All that an add-on for tokens works with. */
export type TokenPorts = SendablePorts & {
  readonly time: Time;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly maxAgeMs: number;
  /** Who is signed in now. */
  readonly signedIn: () => string | undefined;
  /** To be called when records may leave that could not before. */
  readonly changed: () => void;
};

/** What an add-on changes about a tracker. Made by `consent()`, `identityTokens()` and `checks()`. */
export type AddOn = {
  /** What the visitor lets be kept and sent at the start. */
  readonly consent?: (sendsGpc: () => boolean) => Consent;
  /** Decides which records may leave, and with which token. */
  readonly sendable?: (ports: TokenPorts) => Sendable;
  /**
   * Judges a call as the relay will: tells what is wrong with it, or throws a `RecordError`. Answers with the fields to
   * send, as JSON text without the outer braces.
   */
  readonly check?: (call: TrackerCall, json: string, emit: Emit) => string;
};
