import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Call } from '../record/call.ts';
import type { Page } from './page.ts';

// Synchronous storage holds what the database has not taken yet: that is too slow for a page that is being left. Each page
// has a key of its own. What lies there is moved into the database by the next page to start, which may be another tab while
// this page still lives: a call that is moved twice is applied once.

/** Without a prototype, and of primitives alone: no `toJSON` of the page's has a say in it. */
function toLine(call: Call): string {
  return JSON.stringify({ __proto__: null, ...call, fields: undefined });
}

function readSpills({ pageStorage, endpointName, spillTexts }: Page): readonly Call[] {
  const found: (readonly [madeAt: number, call: Call])[] = [];
  for (const key of pageStorage.keys()) {
    if (!key.startsWith(`${endpointName}#`)) continue;
    const text = pageStorage.get(key);
    spillTexts.set(key, text);
    // In the order of its page, whose clock may have been set back: each at the latest time so far.
    let latest = 0;
    // Anything may lie there.
    const calls: unknown = tryOrUndefined(() => JSON.parse(`${text}`));
    for (const call of Array.isArray(calls) ? calls : [])
      if (call?.id && typeof call.json === 'string') {
        latest = Math.max(latest, call.wall);
        found.push([latest, call]);
      }
  }
  return found.sort(([a], [b]) => a - b).map(([, call]) => call);
}

/** The calls that earlier pages left there and that are not in the database yet, oldest first. */
export function spilledCalls(page: Page): readonly Call[] {
  page.spilled ??= readSpills(page);
  return page.spilled;
}

/** Keeps these until told that they are safe elsewhere. False where it can't keep all of them. */
export function writeSpill(page: Page, calls: readonly Call[]): boolean {
  const key = `${page.endpointName}#${page.session}`;
  // Where not all of it has room, the oldest: newer ones that are sent first would overtake them.
  for (let count = calls.length; count > 0; count >>= 1) {
    const text = `[${calls.slice(0, count).map(toLine).join()}]`;
    page.spillTexts.set(key, text);
    if (page.pageStorage.set(key, text)) return count === calls.length;
  }
  return calls.length === 0;
}

/** To be called when all that was left or written is durable or settled. */
export function clearSpill({ pageStorage, spillTexts }: Page): void {
  // Not what another tab, which still lives, has put there since.
  for (const [key, text] of spillTexts) if (pageStorage.get(key) === text) pageStorage.remove(key);
  spillTexts.clear();
}
