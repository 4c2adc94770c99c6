import type { PageStorage } from '../platform/local-storage.ts';

/** Whether the visitor is in, in all tabs of a browser: known with each call, and kept for the next visit. */
export type VisitorsChoice = {
  /** How often the visitor has chosen: odd while that visitor is out. */
  readonly now: () => number;
  /** Opts out or in, by what `now` is to be: two tabs that do the same at once have done it once. */
  readonly set: (choices: number) => void;
  /** Whether other tabs can know of it. */
  readonly isKept: () => boolean;
  /**
   * What is asked for it answers with what has been started; with nothing while the visitor is out. It starts once, and
   * again after each time that the visitor was out.
   */
  readonly whileIn: <T>(start: (choices: number) => T) => () => T | undefined;
};

/**
 * A mark under a key that nothing else writes or removes: without it the next page would begin anew. A number, for a tab
 * that has missed both choices must not go on as if there had been none.
 */
export function visitorsChoice(pageStorage: PageStorage, name: string): VisitorsChoice {
  const key = `${name}?choices`;
  // Where there is no storage the choice is this page's own.
  let known = 0;
  const kept = () => Number(pageStorage.get(key));
  const now = () => kept() || known;

  return {
    now,
    set: (choices) => {
      known = choices;
      pageStorage.set(key, choices);
    },
    isKept: () => kept() > 0,
    whileIn: (start) => {
      let started: { readonly choices: number; readonly what: ReturnType<typeof start> } | undefined;
      let isFresh = false;
      return () => {
        // Once a task: a page that calls a thousand times in one would pay for each look.
        if (!isFresh) {
          known = now();
          queueMicrotask(() => {
            isFresh = false;
          });
        }
        isFresh = true;
        if (known % 2) return undefined;
        if (started?.choices !== known) started = { choices: known, what: start(known) };
        return started.what;
      };
    },
  };
}
