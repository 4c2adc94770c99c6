import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import { bare } from '../record/own-fields.ts';
import { toFields } from '../record/quote.ts';
import { isOut, readVisitor, type Visitor } from '../record/visitor.ts';
import type { Page } from './page.ts';

// `localStorage` has a hint of the visitor: by it a page that is being left sees whether another tab has changed the visitor
// since, and a browser without a database knows the visitor on the next page.

// The hint always takes as much room, though the page fills the storage: a longer user id has room, and so have the last
// calls of a page, which take the hint's place.
const HINT_LENGTH = 2_000;

/** Of a page, what leads to its `localStorage`. */
type PageKeys = Pick<Page, 'pageStorage' | 'endpointName'>;

function hintOf({ pageStorage, endpointName }: PageKeys): string | null | undefined {
  return pageStorage.get(endpointName);
}

function readHint(hint: string | null | undefined): Visitor {
  return readVisitor(tryOrUndefined(() => JSON.parse(`${hint}`)));
}

/** The visitor to go on with: the one that the database holds, unless it holds none or an older one. */
export function knownVisitor(page: Page, kept: Visitor): Visitor {
  const { isConfirmed, visitor, seen = bare({ ...readHint(hintOf(page)), applied: kept.applied }) } = page;
  const known = isConfirmed ? visitor : seen;
  // Newer than what the database holds: a page had to do without it.
  const isNewer =
    known.device &&
    (known.choices > kept.choices || (known.device === kept.device && known.changes > kept.changes));
  page.seen = isNewer || !(kept.device || isOut(kept)) ? bare({ ...known, reported: undefined }) : kept;
  return page.seen;
}

/** Takes the visitor whom the database holds. */
export function confirmVisitor(page: Page, next: Visitor): void {
  const { visitor } = page;
  page.isConfirmed = true;
  if (next.choices > choices(page)) mark(page, next.choices);
  // Records of before a choice are none of the visitor's, whoever has removed them.
  if (next.choices !== visitor.choices) page.unsettled = bare({});
  page.visitor = next;
  if (next.changes !== visitor.changes && !isOut(next)) writeHint(page);
}

function writeHint(page: Page): void {
  const { pageStorage, endpointName, visitor } = page;
  const hint = `{${toFields({ ...visitor, applied: undefined, reported: undefined })}}`;
  page.isHintTaken = false;
  page.hasHint = pageStorage.set(endpointName, hint.padEnd(HINT_LENGTH));
  // An old one would say that nothing has changed.
  if (!page.hasHint) pageStorage.remove(endpointName);
}

/** Whether the database holds no other visitor than this page knows, as far as can be seen without asking it. */
export function isFresh(page: Page): boolean {
  const hint = hintOf(page);
  // Nothing can be read: as WebKit has it for a window that closes itself.
  if (hint === undefined) return true;
  // Without a hint that was there before, something has been done to the page's storage, by another tab perhaps.
  if (hint === null) return !page.hasHint || !!page.isHintTaken;
  return readHint(hint).changes === page.visitor.changes;
}

/** Gives the hint's place to what is to be written down. */
export function takeHintsPlace(page: Page): void {
  page.isHintTaken = isFresh(page);
  page.pageStorage.remove(page.endpointName);
}

/** Puts the hint back in its place. To be called once the visitor was read in the database. */
export function restoreHint(page: Page): void {
  if (page.isHintTaken) writeHint(page);
}

/** Whether the database has been read since the visitor opted out or in. */
export function isCurrent(page: Page): boolean {
  return !!page.isConfirmed && page.visitor.choices === choices(page);
}

/** The same as `localStorage` alone tells. */
export function markedChoices({ pageStorage, endpointName }: PageKeys): number {
  return Number(pageStorage.get(`${endpointName}?choices`)) || 0;
}

/**
 * How often the visitor has opted out or in, as all tabs know it. It is a mark under a key that nothing else writes or
 * removes, and lies in the database too: each of the two stores alone is enough. A number, for a tab that has missed both
 * choices must not go on as if there had been none.
 */
export function choices(page: Page): number {
  // Looked for once a task: a page that calls a thousand times in one would pay for each look.
  if (!page.isChoiceFresh) {
    page.isChoiceFresh = true;
    page.choices = Math.max(page.choices, markedChoices(page));
    queueMicrotask(() => {
      page.isChoiceFresh = false;
    });
  }
  return page.choices;
}

/** The same, where the page would know of a choice made in another tab: a worker does not. */
export function knownChoices(page: Page): number | undefined {
  return page.isConfirmed && page.hasHint ? choices(page) : undefined;
}

/** Whether the visitor lets anything be kept and sent. */
export function isIn(page: Page): boolean {
  return !isOut({ choices: choices(page) });
}

/** Keeps how often the visitor has opted out or in. False where `localStorage` can't. */
export function mark(page: Page, next: number): boolean {
  const key = `${page.endpointName}?choices`;
  page.choices = next;
  const isKept = page.pageStorage.set(key, `${next}`);
  // An old one would say the opposite, and the next page believe it.
  if (!isKept) page.pageStorage.remove(key);
  return isKept;
}

/**
 * Has the visitor out, or in again, from the next append on, whatever the database knows by then; at once as far as
 * `localStorage` tells. Two tabs that do the same at once have done it once. False where `localStorage` can't keep it.
 */
export function choose(page: Page, out: boolean): boolean {
  page.chosen = choices(page) + (isIn(page) === out ? 1 : 0);
  return !page.chosen || mark(page, page.chosen);
}

/** How often a visitor whom the database knows has opted out or in, with the choice of this page. */
export function choicesAfter(page: Page, known: Visitor): number {
  const marked = choices(page);
  const latest = Math.max(marked, known.choices);
  // It holds against what the database knew, unless another tab has chosen since.
  return page.chosen === marked ? latest + ((latest - marked) % 2) : latest;
}

/** The keys under which pages have written something down, but for the visitor's choice. */
export function keptKeys({ pageStorage, endpointName }: PageKeys): readonly string[] {
  return pageStorage.keys().filter((key) => key === endpointName || key.startsWith(`${endpointName}#`));
}

/** Removes what pages have written down, but for the visitor's choice. */
export function forget(page: PageKeys): void {
  for (const key of keptKeys(page)) page.pageStorage.remove(key);
}

/** Has the next page finish what this one may not: it finds something that was kept. */
export function mustForget({ pageStorage, endpointName }: PageKeys): void {
  pageStorage.set(`${endpointName}#`, '[]');
}
