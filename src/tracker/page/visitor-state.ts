import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import { bare } from '../record/own-fields.ts';
import { toFields } from '../record/quote.ts';
import { isOut, readVisitor, type Visitor } from '../record/visitor.ts';
import type { Page } from './page.ts';

// `localStorage` holds a hint of the visitor. During unload it shows whether another tab has changed the
// visitor since. A browser without a database knows the visitor by it on the next page.

// The hint always takes this much room, even if the page fills the storage. So a longer user id still fits,
// and so do the last calls of a page, which take the hint's place.
const HINT_LENGTH = 2_000;

/** The part of a page that leads to its `localStorage`. */
type PageKeys = Pick<Page, 'pageStorage' | 'endpointName'>;

function hintOf({ pageStorage, endpointName }: PageKeys): string | null | undefined {
  return pageStorage.get(endpointName);
}

function readHint(hint: string | null | undefined): Visitor {
  return readVisitor(tryOrUndefined(() => JSON.parse(`${hint}`)));
}

/** The visitor to use: the one in the database, unless it is missing, or older than the page's. */
export function knownVisitor(page: Page, kept: Visitor): Visitor {
  const { isConfirmed, visitor, seen = bare({ ...readHint(hintOf(page)), applied: kept.applied }) } = page;
  const known = isConfirmed ? visitor : seen;
  // Newer than the database's: an earlier page had to work without the database.
  const isNewer =
    known.device &&
    (known.choices > kept.choices || (known.device === kept.device && known.changes > kept.changes));
  page.seen = isNewer || !(kept.device || isOut(kept)) ? bare({ ...known, reported: undefined }) : kept;
  return page.seen;
}

/** Takes over the visitor from the database. */
export function confirmVisitor(page: Page, next: Visitor): void {
  const { visitor } = page;
  page.isConfirmed = true;
  if (next.choices > choices(page)) mark(page, next.choices);
  // Records from before a choice do not belong to the visitor, no matter who removed them.
  if (next.choices !== visitor.choices) page.unsettled = bare({});
  page.visitor = next;
  if (next.changes !== visitor.changes && !isOut(next)) writeHint(page);
}

function writeHint(page: Page): void {
  const { pageStorage, endpointName, visitor } = page;
  const hint = `{${toFields({ ...visitor, applied: undefined, reported: undefined })}}`;
  page.isHintTaken = false;
  page.hasHint = pageStorage.set(endpointName, hint.padEnd(HINT_LENGTH));
}

/**
 * Whether the database holds the visitor that this page knows, as far as the page can tell without asking it.
 */
export function isFresh(page: Page): boolean {
  const hint = hintOf(page);
  // The storage can't be read: WebKit does this in a window that closes itself.
  if (hint === undefined) return true;
  // If a hint has disappeared, something has changed the page's storage, perhaps another tab.
  if (hint === null) return !page.hasHint || !!page.isHintTaken;
  return readHint(hint).changes === page.visitor.changes;
}

/** Stores a spill in the place of the hint. Returns false if there is no room for it even so. */
export function setInHintsPlace(page: Page, key: string, text: string): boolean {
  page.isHintTaken = isFresh(page);
  page.pageStorage.remove(page.endpointName);
  return page.pageStorage.set(key, text);
}

/** Puts the hint back in its place. Call it once the visitor was read from the database. */
export function restoreHint(page: Page): void {
  if (page.isHintTaken) writeHint(page);
}

/** Whether the database has been read since the visitor opted out or in. */
export function isCurrent(page: Page): boolean {
  return !!page.isConfirmed && page.visitor.choices === choices(page);
}

/** `choices`, according to `localStorage` alone. */
export function markedChoices({ pageStorage, endpointName }: PageKeys): number {
  return Number(pageStorage.get(`${endpointName}?choices`)) || 0;
}

/**
 * How often the visitor has opted out or in, across all tabs.
 * The mark has a key that nothing else writes or removes, and is in the database too: either store alone is
 * enough. It is a number, because a tab that has missed two choices must not go on as if there had been none.
 */
export function choices(page: Page): number {
  // Looked up once a task: a page that makes a thousand calls in one task would pay for each look.
  if (!page.isChoiceFresh) {
    page.isChoiceFresh = true;
    page.choices = Math.max(page.choices, markedChoices(page));
    queueMicrotask(() => {
      page.isChoiceFresh = false;
    });
  }
  return page.choices;
}

/** The same. Undefined if the page might miss a choice made in another tab, as a worker does. */
export function knownChoices(page: Page): number | undefined {
  return page.isConfirmed && page.hasHint ? choices(page) : undefined;
}

/** Whether the visitor allows storing and sending. */
export function isIn(page: Page): boolean {
  return !isOut({ choices: choices(page) });
}

/** Stores how often the visitor has opted out or in. Returns false if `localStorage` can't keep it. */
export function mark(page: Page, next: number): boolean {
  page.choices = next;
  return page.pageStorage.set(`${page.endpointName}?choices`, `${next}`);
}

/**
 * Opts the visitor out, or in again: at once in `localStorage`, and in the database with the next append.
 * It holds whatever the database says by then. Two tabs that choose the same at once have chosen once.
 * Returns false if `localStorage` can't keep it.
 */
export function choose(page: Page, out: boolean): boolean {
  page.chosen = choices(page) + (isIn(page) === out ? 1 : 0);
  return !page.chosen || mark(page, page.chosen);
}

/** How often a visitor from the database has opted out or in, including this page's choice. */
export function choicesAfter(page: Page, known: Visitor): number {
  const marked = choices(page);
  const latest = Math.max(marked, known.choices);
  // The page's choice overrides the database, unless another tab has chosen since.
  return page.chosen === marked ? latest + ((latest - marked) % 2) : latest;
}

/** The keys under which pages have stored something, except the visitor's choice. */
export function keptKeys({ pageStorage, endpointName }: PageKeys): readonly string[] {
  return pageStorage.keys().filter((key) => key === endpointName || key.startsWith(`${endpointName}#`));
}

/** Removes what pages have stored, except the visitor's choice. */
export function forget(page: PageKeys): void {
  for (const key of keptKeys(page)) page.pageStorage.remove(key);
}

/** Leaves a key for the next page to find, so that it finishes a deletion that this page may not. */
export function mustForget({ pageStorage, endpointName }: PageKeys): void {
  pageStorage.set(`${endpointName}#`, '[]');
}
