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
  /** The visitor to go on with: the one that the database holds, unless it holds none or an older one. */
  readonly fallback: (kept: Visitor) => Visitor;
  /** Takes what the database holds. */
  readonly confirm: (visitor: Visitor) => void;
  readonly isConfirmed: () => boolean;
  /**
   * Whether the database holds no other visitor than this page knows, as far as can be seen without asking it.
   *
   * @param isLastResort nothing else keeps the calls
   */
  readonly isFresh: (isLastResort: boolean) => boolean;
  /** Whether the database has been read since the visitor opted out or in. */
  readonly isCurrent: () => boolean;
  /** How often the visitor has opted out or in, as far as this page knows. */
  readonly choices: () => number;
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
  // What an append that has not answered has read.
  let seen = NO_VISITOR;
  let isConfirmed = false;
  let hasHint = false;
  // Another tab may have brought the visitor back since this one has read the database.
  const latestChoice = () => Math.max(visitor.choices, choice.now());

  return {
    now: () => visitor,
    fallback: (kept) => {
      const hint = readHint();
      const known = isConfirmed ? visitor : seen.device ? seen : { ...hint, applied: kept.applied };
      // Newer than what the database holds: a page had to do without it.
      const isNewer =
        known.device &&
        (known.choices > kept.choices || (known.device === kept.device && known.changes > kept.changes));
      seen = isNewer || !(kept.device || isOut(kept)) ? known : kept;
      return seen;
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
    // A page that fills the storage costs the hint its place.
    isFresh: (isLastResort) =>
      !hasHint ||
      (isLastResort && pageStorage.get(name) === undefined) ||
      readHint().changes === visitor.changes,
    isIn: () => !isOut({ choices: latestChoice() }),
    isCurrent: () => isConfirmed && visitor.choices === latestChoice(),
    choices: latestChoice,
  };
}

/** Has the next page finish what this one may not: it finds something that was kept. */
export function mustForget(pageStorage: PageStorage, name: string): void {
  pageStorage.set(`${name}#`, '[]');
}

/** The keys under which pages have written something down, but for the visitor's choice. */
export function keptKeys(pageStorage: PageStorage, name: string): readonly string[] {
  return pageStorage.keys().filter((key) => key === name || key.startsWith(`${name}#`));
}
