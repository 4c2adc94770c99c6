import type { Engine } from '../engine/engine.ts';
import type { Page } from '../page/page.ts';
import type { Sendable } from '../page/sendable.ts';
import type { Captured } from '../record/capture.ts';
import type { Repair } from '../record/outcome.ts';

/** What an add-on changes about a tracker. Made by `consent()`, `identityTokens()` and `checks()`. */
export type AddOn = {
  /**
   * Stands before the engine, and before the add-ons given earlier. The engine does nothing before it is called: until the
   * visitor has consented nothing may be opened, read, locked or sent.
   */
  readonly engine?: (engine: Engine, page: Page) => Engine;
  /** Has calls wait until the visitor has chosen. */
  readonly asksConsent?: boolean;
  /** Decides which records may leave, and with which token. `changed` is to be called when others may leave than before. */
  readonly sendable?: (page: Page, changed: (sendsNow: boolean) => void) => Sendable;
  /**
   * Judges a call as the relay will: adds to its repairs what the relay would change, and answers with the call so changed.
   * May throw a `RecordError`: then no record is made, and nothing is told.
   */
  readonly check?: (captured: Captured, repairs: Repair[]) => Captured;
};
