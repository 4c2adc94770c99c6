import type { Engine } from '../engine/engine.ts';
import type { Page } from '../page/page.ts';
import type { Sendable } from '../page/sendable.ts';
import type { Captured } from '../record/capture.ts';
import type { Repair } from '../record/outcome.ts';

/** An extension of a tracker. `consent()`, `identityTokens()` and `checks()` make one. */
export type AddOn = {
  /**
   * Wraps the engine, and the add-ons given earlier.
   * The engine does nothing before it is called: until the visitor consents, nothing may be opened,
   * read, locked or sent.
   */
  readonly engine?: (engine: Engine, page: Page) => Engine;
  /** Whether calls wait until the visitor has chosen. */
  readonly asksConsent?: boolean;
  /**
   * Decides which records may be sent, and with which token.
   * It must call `changed` when that changes. `sendsNow`: records that were skipped may be sent now.
   */
  readonly sendable?: (page: Page, changed: (sendsNow: boolean) => void) => Sendable;
  /**
   * Checks a call by the relay's rules, and returns it as the relay would change it.
   * It adds those changes to `repairs`. If it throws a `RecordError`, no record is made, and no
   * repair is reported.
   */
  readonly check?: (captured: Captured, repairs: Repair[]) => Captured;
};
