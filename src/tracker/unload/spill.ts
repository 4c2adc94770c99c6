import type { PageStorage } from '../platform/local-storage.ts';
import { tryOrUndefined } from '../platform/try-or-undefined.ts';
import type { Call } from '../record/call.ts';

/** What synchronous storage holds for the database, which is too slow for a page that is being left. */
export type Spill = {
  /** The calls that earlier pages left there and that are not in the database yet, oldest first. */
  readonly left: () => readonly Call[];
  /** To be called when those that were left are in the database. */
  readonly moved: () => void;
  /** Keeps these until told that they are safe elsewhere. False where it can't keep all of them. */
  readonly write: (calls: readonly Call[]) => boolean;
  /** To be called when all that was left or written is durable or settled. */
  readonly clear: () => void;
};

/** Without a prototype, and of primitives alone: no `toJSON` of the page's has a say in it. */
function toLine(call: Call): string {
  return JSON.stringify({ __proto__: null, ...call, fields: undefined });
}

/**
 * Each page has a key of its own. What lies there is moved into the database by the next page to start, which may be
 * another tab while this page still lives: a call that is moved twice is applied once.
 */
export function pageSpill(storage: PageStorage, name: string, session: string): Spill {
  const prefix = `${name}#`;
  const own = prefix + session;
  const texts = new Map<string, string | undefined>();
  let left: readonly Call[] | undefined;

  function readLeft(): readonly Call[] {
    const found: (readonly [madeAt: number, call: Call])[] = [];
    for (const key of storage.keys()) {
      if (!key.startsWith(prefix)) continue;
      const text = storage.get(key);
      texts.set(key, text);
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

  return {
    left: () => {
      left ??= readLeft();
      return left;
    },
    moved: () => {
      left = [];
    },
    write: (calls) => {
      // Where not all of it has room, the oldest: newer ones that are sent first would overtake them.
      let count = calls.length;
      let text = '';
      do text = `[${calls.slice(0, count).map(toLine).join()}]`;
      while (!storage.set(own, text) && (count >>= 1));
      texts.set(own, text);
      return count === calls.length;
    },
    clear: () => {
      // Not what another tab, which still lives, has put there since.
      for (const [key, text] of texts) if (storage.get(key) === text) storage.remove(key);
      texts.clear();
    },
  };
}
