import type { PageStorage } from '../platform/local-storage.ts';
import type { Identity } from '../record/visitor.ts';
import type { StateStore } from './record-store.ts';

/** The visitor's identity in this page, kept for the next one and shared with the other tabs. */
export type KeptIdentity = {
  readonly now: () => Identity;
  /** Changes it in this page; `read` makes it last. */
  readonly set: (next: Identity) => void;
  /** What was told about the visitor counts as told no longer: a record of it is known to be lost. */
  readonly forgetTold: () => void;
  /** Takes what another tab may have set, and keeps what was set here. */
  readonly read: () => Promise<void>;
  /** The same, where there is something to keep. */
  readonly save: () => Promise<void> | undefined;
};

const NAME = 'identity';

/** The one that was changed more often; of two that were as often, the kept one. Anything may lie in a page's storage. */
function newer(identity: Identity, kept: unknown): Identity {
  const other = kept as Identity | null | undefined;
  return other?.device && other.changes >= identity.changes ? other : identity;
}

/**
 * It lies in the page's synchronous storage too: other tabs know a change with their next call, and a page knows who the
 * visitor is before the database has answered. Where there is none, as in a worker, it is read with each flush.
 *
 * @param first the visitor, where nothing is kept of one
 */
export function keptIdentity(
  state: StateStore,
  pageStorage: PageStorage,
  name: string,
  first: Identity,
): KeptIdentity {
  let identity = newer(first, pageStorage.get(name));
  let saved = -1;

  // Without what was told: the record of it may not be safe yet. The database learns of it behind the record.
  const show = () => pageStorage.set(name, { ...identity, told: {} });
  show();
  const now = () => {
    const shown = newer(identity, pageStorage.get(name));
    if (shown.changes > identity.changes) identity = shown;
    return identity;
  };
  const set = (next: Identity) => {
    if (next === identity) return;
    identity = { ...next, changes: identity.changes + 1 };
    show();
  };
  /** What all know by now. The device is the database's own. */
  const merged = (kept: unknown): Identity => {
    const newest = newer(now(), kept);
    return { ...newest, device: (kept as Identity | undefined)?.device || newest.device };
  };
  const read = async () => {
    let kept = (await state.get(NAME)) as Identity | undefined;
    // Merged once more as it is written: two tabs that start together must not make two visitors.
    if (!kept?.device || kept.changes < identity.changes) kept = await state.update(NAME, merged);
    saved = kept.changes;
    identity = merged(kept);
    show();
  };
  // It is gone from the page's storage where the visitor has cleared the site's data, and then from the database too: the
  // device must be known there before anybody else makes another one.
  const save = () => (saved < identity.changes || !pageStorage.get(name) ? read() : undefined);

  return {
    now,
    set,
    forgetTold: () => {
      if (Object.keys(now().told).length === 0) return;
      set({ ...identity, told: {} });
      void save();
    },
    read,
    save,
  };
}
