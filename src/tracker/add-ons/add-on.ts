import type { Sendable, SendablePorts } from '../delivery/sendable.ts';
import type { Engine } from '../engine/engine.ts';
import type { Emit } from '../engine/events.ts';
import type { TrackerCall } from '../engine/middleware.ts';
import type { TrackerParts } from '../engine/page.ts';

/** What an add-on changes about a tracker. Made by `consent()`, `identityTokens()` and `checks()`. */
export type AddOn = {
  /**
   * Stands before the engine, which does nothing before it is called: until the visitor has consented nothing may be
   * opened, read, locked or sent.
   */
  readonly engine?: (engine: Engine, parts: TrackerParts) => Engine;
  /** Decides which records may leave, and with which token. */
  readonly sendable?: (ports: SendablePorts) => Sendable;
  /**
   * Judges a call as the relay will: tells what is wrong with it, or throws a `RecordError`. Answers with the fields to
   * send, as JSON text without the outer braces.
   */
  readonly check?: (call: TrackerCall, json: string, emit: Emit) => string;
};
