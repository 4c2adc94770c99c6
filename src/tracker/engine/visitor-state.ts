import type { PageStorage } from '../platform/local-storage.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import { isOut, NO_VISITOR, readVisitor, type Visitor } from '../record/visitor.ts';

/**
 * The visitor as this page last read it in the database, which is the authority. `localStorage` has a hint of it: by it a
 * page that is being left sees whether another tab has changed the visitor since, and a browser without a database knows
 * the visitor on the next page.
 *
 * The visitor's choice is a mark under a key that nothing else writes or removes. It lies in the database too: each of the
 * two stores alone is enough. A number, for a tab that has missed both choices must not go on as if there had been none.
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
  /**
   * How often the visitor has opted out or in, as all tabs know it: odd while the visitor is out. Given the visitor whom
   * the database knows, for one who has opted in here and is out there may be no mark any more.
   */
  readonly choicesAfter: (known: Visitor) => number;
  /** Opts out or in. Two tabs that do the same at once have done it once. False where `localStorage` can't keep it. */
  readonly choose: (out: boolean) => boolean;
  /** Whether the visitor lets anything be kept and sent. */
  readonly isIn: () => boolean;
  /** Removes what pages have written down, but for the choice; answers whether there was anything. */
  readonly forget: () => boolean;
};

// The hint always takes as much room: a longer user id has room though the page has filled the storage since.
const HINT_LENGTH = 600;

export function visitorState(pageStorage: PageStorage, name: string): VisitorState {
  const markKey = `${name}?choices`;
  let visitor = NO_VISITOR;
  let known = 0;
  let isConfirmed = false;
  let hasHint = false;
  let bringsBack = false;

  const readHint = () => readVisitor(tryOrUndefined(() => JSON.parse(`${pageStorage.get(name)}`)));
  const choices = () => {
    known = Math.max(known, Number(pageStorage.get(markKey)) || 0);
    return known;
  };
  const isIn = () => !isOut({ choices: choices() });
  const mark = (next: number) => {
    known = next;
    return pageStorage.set(markKey, `${next}`);
  };

  return {
    now: () => visitor,
    fallback: (kept) => {
      if (kept.device || isOut(kept)) return kept;
      return isConfirmed ? visitor : { ...readHint(), choices: kept.choices, applied: [] };
    },
    confirm: (next) => {
      isConfirmed = true;
      bringsBack = false;
      if (next.choices > choices()) mark(next.choices);
      const isChanged = next.changes !== visitor.changes;
      visitor = next;
      if (!isChanged || isOut(next)) return;
      const hint = { __proto__: null, ...next, applied: undefined, reported: undefined };
      hasHint = pageStorage.set(name, JSON.stringify(hint).padEnd(HINT_LENGTH));
      // An old one would say that nothing has changed.
      if (!hasHint) pageStorage.remove(name);
    },
    isConfirmed: () => isConfirmed,
    isFresh: () => !hasHint || readHint().changes === visitor.changes,
    choicesAfter: (known) => Math.max(choices(), bringsBack && isOut(known) ? known.choices + 1 : 0),
    choose: (out) => {
      bringsBack = !out;
      return mark(choices() + (isIn() === out ? 1 : 0));
    },
    isIn,
    forget: () => {
      let wasKept = false;
      for (const key of pageStorage.keys())
        if (key === name || key.startsWith(`${name}#`)) {
          pageStorage.remove(key);
          wasKept = true;
        }
      return wasKept;
    },
  };
}
