import type { PageStorage } from '../platform/local-storage.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import { isOut, NO_VISITOR, readVisitor, type Visitor } from '../record/visitor.ts';
import type { Choice } from './choice.ts';

/**
 * The visitor as this page last read it in the database, which is the authority. `localStorage` has a hint of it: by it a
 * page that is being left sees whether another tab has changed the visitor since, and a browser without a database knows
 * the visitor on the next page.
 */
export type VisitorState = {
  readonly now: () => Visitor;
  /** The visitor to go on with where the database holds none. */
  readonly fallback: (kept: Visitor) => Visitor;
  /** Takes what the database holds. */
  readonly confirm: (visitor: Visitor) => void;
  readonly isConfirmed: () => boolean;
  /** Whether the database holds no other visitor than this page knows, as far as can be seen without asking it. */
  readonly isFresh: () => boolean;
  /** Whether the visitor lets anything be kept and sent. */
  readonly isIn: () => boolean;
};

// The hint always takes as much room, though the page fills the storage: a longer user id has room, and so have the last
// calls of a page, which take the hint's place.
const HINT_LENGTH = 2_000;

/** @param chosen is called when the visitor has opted out or in: nothing that was known before is theirs */
export function visitorState(
  pageStorage: PageStorage,
  name: string,
  choice: Choice,
  chosen: () => void,
): VisitorState {
  const readHint = () => readVisitor(tryOrUndefined(() => JSON.parse(pageStorage.get(name) ?? '')));
  let visitor = NO_VISITOR;
  let isConfirmed = false;
  let hasHint = false;

  return {
    now: () => visitor,
    fallback: (kept) => {
      if (kept.device || isOut(kept)) return kept;
      return isConfirmed ? visitor : { ...readHint(), choices: kept.choices, applied: [] };
    },
    confirm: (next) => {
      isConfirmed = true;
      if (next.choices > choice.now()) choice.set(next.choices);
      if (next.choices !== visitor.choices) chosen();
      const isChanged = next.changes !== visitor.changes;
      visitor = next;
      if (!isChanged || isOut(next)) return;
      const { device, userId, anonymousId, choices, changes, clockOffset } = next;
      const hint = { __proto__: null, device, userId, anonymousId, choices, changes, clockOffset };
      hasHint = pageStorage.set(name, JSON.stringify(hint).padEnd(HINT_LENGTH));
      // An old one would say that nothing has changed.
      if (!hasHint) pageStorage.remove(name);
    },
    isConfirmed: () => isConfirmed,
    isFresh: () => !hasHint || readHint().changes === visitor.changes,
    isIn: () => !isOut({ choices: choice.now() }),
  };
}

/** The keys under which pages have written something down, but for the visitor's choice. */
export function keptKeys(pageStorage: PageStorage, name: string): readonly string[] {
  return pageStorage.keys().filter((key) => key === name || key.startsWith(`${name}#`));
}
