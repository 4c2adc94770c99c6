import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Call } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import { toFields } from '../record/quote.ts';
import type { Page } from './page.ts';
import { isCurrent, restoreHint, takeHintsPlace } from './visitor-state.ts';

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
  const { pageStorage, endpointName, spillTexts } = page;
  const found: (readonly [madeAt: number, call: Call])[] = [];
  for (const key of pageStorage.keys()) {
    // This page's own calls are still in memory.
    if (!key.startsWith(`${endpointName}#`) || key === ownKey(page)) continue;
    const text = pageStorage.get(key);
    spillTexts[key] = text;
    // Keeps the order of each page, even if its clock was set back: no call counts as earlier than
    // the one before it.
    let latest = 0;
    // Anything may be stored there.
    const calls: unknown = tryOrUndefined(() => JSON.parse(`${text}`));
    for (const call of Array.isArray(calls) ? calls : [])
      if (call?.id && typeof call.json === 'string') {
        latest = Math.max(latest, call.wall);
        found.push([latest, bare(call)]);
      }
  }
  return found.sort(([a], [b]) => a - b).map(([, call]) => call);
}

/** Spills calls until they are safe elsewhere. Returns false if it can't keep all of them. */
export function writeSpill(page: Page, calls: readonly Call[]): boolean {
  const { pageStorage, visitor } = page;
  const key = ownKey(page);
  // The page may send them with this device id.
  const device = isCurrent(page) ? visitor.device : undefined;
  // If not all of them fit, it keeps the oldest: newer ones that are sent first would overtake them.
  for (let count = calls.length; count > 0; count >>= 1) {
    const text = `[${calls
      .slice(0, count)
      .map((call) => toLine(call, device))
      .join()}]`;
    page.spillTexts[key] = text;
    if (pageStorage.set(key, text)) return count === calls.length;
    takeHintsPlace(page);
    if (pageStorage.set(key, text)) return count === calls.length;
  }
  return calls.length === 0;
}

/** Call it when everything that was spilled or appended is durable or settled. */
export function clearSpill(page: Page): void {
  const { pageStorage, spillTexts } = page;
  // Not what another tab, which is still alive, has written there since.
  for (const key in spillTexts) if (pageStorage.get(key) === spillTexts[key]) pageStorage.remove(key);
  page.spillTexts = bare({});
  restoreHint(page);
}
