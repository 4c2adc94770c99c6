import type { Engine } from '../engine/engine.ts';
import type { Page, TrackerParts } from '../page/page.ts';
import type { Sendable } from '../page/sendable.ts';

/** What an add-on changes about a tracker. Made by `consent()`, `identityTokens()` and `checks()`. */
export type AddOn = {
  /**
   * Stands before the engine, and before the add-ons given earlier. The engine does nothing before it is called: until the
   * visitor has consented nothing may be opened, read, locked or sent.
   */
  readonly engine?: (engine: Engine, parts: TrackerParts) => Engine;
  /** Decides which records may leave, and with which token. `changed` is to be called when others may leave than before. */
  readonly sendable?: (page: Page, changed: () => void) => Sendable;
};
