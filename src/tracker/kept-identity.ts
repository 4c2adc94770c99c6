import type { StateStore } from './buffer.ts';
import { anonymous, type Identity } from './identity.ts';

/** The visitor's identity in this page, kept for the next one and shared with the other tabs. */
export type KeptIdentity = {
  readonly now: () => Identity;
  readonly set: (next: Identity) => void;
  /** What was told about the visitor counts as told no longer: a record of it is known to be lost. */
  readonly forgetTold: () => void;
  /** Takes what another tab may have set; the first read also makes the visitor, where there was none. */
  readonly read: () => Promise<void>;
};

/** Other tabs are not told of a change: they read it when they are shown, focused, or flush. */
export function keptIdentity(state: StateStore, newId: () => string): KeptIdentity {
  let identity = anonymous(newId());
  let changes = 0;

  const change = (by: (before: Identity) => Identity) => {
    changes += 1;
    identity = by(identity);
    // Made anew of what is kept: another tab may have set it since.
    void state.update('identity', (kept) => by((kept as Identity | undefined) ?? identity));
  };
  const read = async () => {
    const asOf = changes;
    const kept =
      ((await state.get('identity')) as Identity | undefined) ??
      // Looked at once more as it is made: two tabs that start together must not make two.
      (await state.update('identity', (before) => (before as Identity | undefined) ?? identity));
    // What was called here in the meantime is newer than what was read.
    if (asOf === changes) identity = kept;
  };

  return {
    now: () => identity,
    set: (next) => {
      if (next !== identity) change(() => next);
    },
    forgetTold: () => change((before) => ({ ...before, told: {} })),
    read,
  };
}
