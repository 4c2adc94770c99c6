import type { PageStorage } from '../platform/local-storage.ts';

/** How often the visitor has opted out or in, as all tabs know it: odd while the visitor is out. */
export type Choice = {
  readonly now: () => number;
  /** Two tabs that do the same at once have done it once. False where `localStorage` can't keep it. */
  readonly set: (choices: number) => boolean;
};

/**
 * A mark under a key that nothing else writes or removes. It lies in the database too: each of the two stores alone is
 * enough. A number, for a tab that has missed both choices must not go on as if there had been none.
 */
export function visitorsChoice(pageStorage: PageStorage, name: string): Choice {
  const key = `${name}?choices`;
  let known = 0;
  let isFresh = false;

  return {
    now: () => {
      // Once a task: a page that calls a thousand times in one would pay for each look.
      if (!isFresh) {
        isFresh = true;
        known = Math.max(known, Number(pageStorage.get(key)) || 0);
        queueMicrotask(() => {
          isFresh = false;
        });
      }
      return known;
    },
    set: (choices) => {
      known = Math.max(known, choices);
      return pageStorage.set(key, `${known}`);
    },
  };
}
