import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import { values } from '../record/built-ins.ts';
import type { Call } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import { toFields } from '../record/quote.ts';
import type { ById, Page } from './page.ts';
import { isCurrent, keptKeys, restoreHint, setInHintsPlace } from './visitor-state.ts';

// Synchronous storage holds the calls that the database has not taken yet: the database is too slow for an
// unload. Each page has its own key. The next page to start moves a spill into the database. That may be
// another tab, while this page is still alive: a call that is moved twice is applied once.

function toLine(call: Call, device: string | undefined): string {
  return `{${toFields({ device, ...call, fields: undefined, key: undefined })}}`;
}

function ownKey({ endpointName, session }: Page): string {
  return `${endpointName}#${session}`;
}

/** Reads the calls that earlier pages spilled and that are not in the database yet, oldest first. */
export function readSpills(page: Page): readonly Call[] {
  const { pageStorage, spillTexts } = page;
  // By id: two trackers of one page may have kept the same calls.
  const found: ById<readonly [madeAt: number, call: Call]> = bare({});
  for (const key of keptKeys(page)) {
    // This page's own calls are still in memory.
    if (key === page.endpointName || key === ownKey(page)) continue;
    const text = pageStorage.get(key);
    // Not the key that asks for a deletion: it stays until the database has confirmed that.
    if (text !== '[]') spillTexts[key] = text;
    // Keeps the order of each page, even if its clock was set back: no call counts as earlier than
    // the one before it.
    let latest = 0;
    // Anything may be stored there.
    tryOrUndefined(() => {
      for (const call of JSON.parse(`${text}`))
        if (call?.id && typeof call.json === 'string') {
          latest = Math.max(latest, call.wall);
          found[call.id] ||= [latest, bare(call)];
        }
    });
  }
  return values(found)
    .sort(([a], [b]) => a - b)
    .map(([, call]) => call);
}

/** Spills calls until they are safe elsewhere. Returns false if it can't keep all of them. */
export function writeSpill(page: Page, calls: readonly Call[]): boolean {
  const { pageStorage, visitor } = page;
  const key = ownKey(page);
  // The page may send them with this device id.
  const device = isCurrent(page) ? visitor.device : undefined;
  // If not all of them fit, it keeps the oldest: newer ones that are sent first would overtake them.
  let count = calls.length;
  for (; count > 0; count >>= 1) {
    const text = `[${calls
      .slice(0, count)
      .map((call) => toLine(call, device))
      .join()}]`;
    page.spillTexts[key] = text;
    if (pageStorage.set(key, text) || setInHintsPlace(page, key, text)) break;
  }
  const isWhole = count === calls.length;
  // The calls of earlier pages are among them. Kept in both places, they would double with every page that
  // unloads before its database answers.
  if (isWhole) removeSpills(page, key);
  return isWhole;
}

/** Removes the spills that this page has read or written, except one. */
function removeSpills({ pageStorage, spillTexts }: Page, except?: string): void {
  // Not what another tab, which is still alive, has written there since.
  for (const key in spillTexts)
    if (key !== except && pageStorage.get(key) === spillTexts[key]) pageStorage.remove(key);
}

/** Call it when everything that was spilled or appended is durable or settled. */
export function clearSpill(page: Page): void {
  removeSpills(page);
  page.spillTexts = bare({});
  restoreHint(page);
}
