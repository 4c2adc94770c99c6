import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Call } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import { toFields } from '../record/quote.ts';
import type { Page } from './page.ts';
import { isCurrent, restoreHint, takeHintsPlace } from './visitor-state.ts';

// Synchronous storage holds what the database has not taken yet: that is too slow for a page that is being left. Each page
// has a key of its own. What lies there is moved into the database by the next page to start, which may be another tab while
// this page still lives: a call that is moved twice is applied once.

function toLine(call: Call, device: string | undefined): string {
  return `{${toFields({ device, ...call, fields: undefined, key: undefined })}}`;
}

function ownKey({ endpointName, session }: Page): string {
  return `${endpointName}#${session}`;
}

/** Reads the calls that earlier pages left there and that are not in the database yet, oldest first. */
export function readSpills(page: Page): readonly Call[] {
  const { pageStorage, endpointName, spillTexts } = page;
  const found: (readonly [madeAt: number, call: Call])[] = [];
  for (const key of pageStorage.keys()) {
    // This page's own calls are still in its hands.
    if (!key.startsWith(`${endpointName}#`) || key === ownKey(page)) continue;
    const text = pageStorage.get(key);
    spillTexts[key] = text;
    // In the order of its page, whose clock may have been set back: each at the latest time so far.
    let latest = 0;
    // Anything may lie there.
    const calls: unknown = tryOrUndefined(() => JSON.parse(`${text}`));
    for (const call of Array.isArray(calls) ? calls : [])
      if (call?.id && typeof call.json === 'string') {
        latest = Math.max(latest, call.wall);
        found.push([latest, bare(call)]);
      }
  }
  return found.sort(([a], [b]) => a - b).map(([, call]) => call);
}

/** Keeps these until told that they are safe elsewhere. False where it can't keep all of them. */
export function writeSpill(page: Page, calls: readonly Call[]): boolean {
  const { pageStorage, visitor } = page;
  const key = ownKey(page);
  // The page may send them as this device's.
  const device = isCurrent(page) ? visitor.device : undefined;
  // Where not all of it has room, the oldest: newer ones that are sent first would overtake them.
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

/** To be called when all that was left or written is durable or settled. */
export function clearSpill(page: Page): void {
  const { pageStorage, spillTexts } = page;
  // Not what another tab, which still lives, has put there since.
  for (const key in spillTexts) if (pageStorage.get(key) === spillTexts[key]) pageStorage.remove(key);
  page.spillTexts = bare({});
  restoreHint(page);
}
