import type { StateStore } from './buffer.ts';
import { anonymous, type Identity } from './identity.ts';

/** The visitor's identity in this page, kept for the next one and shared with the other tabs. */
export type KeptIdentity = {
  readonly now: () => Identity;
  readonly set: (next: Identity) => void;
  /** Takes what another tab may have set; the first read also makes the visitor, where there was none. */
  readonly read: () => Promise<void>;
};

/**
 * @param tabs calls back when another tab has set the identity; answers with what says so to the others
 */
export function keptIdentity(
  state: StateStore,
  tabs: (changed: () => void) => () => void,
  newId: () => string,
): KeptIdentity {
  let identity = anonymous(newId());
  const read = async () => {
    identity = await state.update('identity', (kept) => (kept as Identity | undefined) ?? identity);
  };
  const tellTabs = tabs(() => void read());

  return {
    now: () => identity,
    set: (next) => {
      if (next === identity) return;
      identity = next;
      void state.update('identity', () => next).then(tellTabs);
    },
    read,
  };
}
