import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import { isOut, readVisitor, type Visitor } from '../record/visitor.ts';
import type { Page } from './page.ts';

// `localStorage` has a hint of the visitor: by it a page that is being left sees whether another tab has changed the visitor
// since, and a browser without a database knows the visitor on the next page.

// The hint always takes as much room: a longer user id has room though the page has filled the storage since.
const HINT_LENGTH = 600;

function readHint({ pageStorage, endpointName }: Page): Visitor {
  return readVisitor(tryOrUndefined(() => JSON.parse(`${pageStorage.get(endpointName)}`)));
}

/** The visitor to go on with where the database holds none. */
export function knownVisitor(page: Page, kept: Visitor): Visitor {
  if (kept.changes) return kept;
  return page.isConfirmed ? page.visitor : { ...readHint(page), choices: 0, applied: [] };
}

/** Takes the visitor whom the database holds. */
export function confirmVisitor(page: Page, next: Visitor): void {
  const { pageStorage, endpointName, visitor } = page;
  page.isConfirmed = true;
  page.bringsBack = false;
  if (next.choices > choices(page)) mark(page, next.choices);
  page.visitor = next;
  if (next.changes === visitor.changes || isOut(next)) return;
  const hint = { __proto__: null, ...next, applied: undefined, reported: undefined };
  page.hasHint = pageStorage.set(endpointName, JSON.stringify(hint).padEnd(HINT_LENGTH));
  // An old one would say that nothing has changed.
  if (!page.hasHint) pageStorage.remove(endpointName);
}

/** Whether the database holds no other visitor than this page knows, as far as can be seen without asking it. */
export function isFresh(page: Page): boolean {
  return !page.hasHint || readHint(page).changes === page.visitor.changes;
}

/**
 * How often the visitor has opted out or in, as all tabs know it. It is a mark under a key that nothing else writes or
 * removes, and lies in the database too: each of the two stores alone is enough. A number, for a tab that has missed both
 * choices must not go on as if there had been none.
 */
export function choices(page: Page): number {
  page.choices = Math.max(page.choices, Number(page.pageStorage.get(`${page.endpointName}?choices`)) || 0);
  return page.choices;
}

/** Whether the visitor lets anything be kept and sent. */
export function isIn(page: Page): boolean {
  return !isOut({ choices: choices(page) });
}

function mark(page: Page, next: number): boolean {
  page.choices = next;
  return page.pageStorage.set(`${page.endpointName}?choices`, `${next}`);
}

/** Opts out or in. Two tabs that do the same at once have done it once. False where `localStorage` can't keep it. */
export function choose(page: Page, out: boolean): boolean {
  page.bringsBack = !out;
  return mark(page, choices(page) + (isIn(page) === out ? 1 : 0));
}

/** Removes what pages have written down, but for the choice; answers whether there was anything. */
export function forget({ pageStorage, endpointName }: Pick<Page, 'pageStorage' | 'endpointName'>): boolean {
  let wasKept = false;
  for (const key of pageStorage.keys())
    if (key === endpointName || key.startsWith(`${endpointName}#`)) {
      pageStorage.remove(key);
      wasKept = true;
    }
  return wasKept;
}
