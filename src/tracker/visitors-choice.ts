import type { PageStorage } from './page-storage.ts';

/** Whether the visitor is in, in all tabs of a browser: known with each call, and kept for the next visit. */
export type VisitorsChoice = {
  /** Opts out one who is in, and in one who is out. */
  readonly change: () => void;
  /**
   * What is asked for it answers with what has been started; with nothing while the visitor is out. It starts once, and
   * again after each time that the visitor was out.
   */
  readonly whileIn: <T>(start: (choices: number, isIn: () => boolean) => T) => () => T | undefined;
};

/**
 * It lies where the visitor's identity lies, and stays in its place: how often the visitor has chosen, which is odd while
 * that visitor is out. Without it the next page would begin anew. A number, for a tab that has missed both choices must
 * not go on as if there had been none.
 */
export function visitorsChoice(pageStorage: PageStorage, name: string): VisitorsChoice {
  // Where there is no storage the choice is this page's own.
  let known = 0;
  const choices = () =>
    (pageStorage.get(name) as { readonly choices?: number } | null | undefined)?.choices ?? known;

  return {
    change: () => {
      known = choices() + 1;
      pageStorage.set(name, { choices: known });
    },
    whileIn: (start) => {
      let started: { readonly choices: number; readonly what: ReturnType<typeof start> } | undefined;
      let isFresh = false;
      return () => {
        // Once a task: a page that calls a thousand times in one would pay for each look.
        if (!isFresh) {
          known = choices();
          queueMicrotask(() => {
            isFresh = false;
          });
        }
        isFresh = true;
        if (known % 2) return undefined;
        if (started?.choices !== known) {
          const own = known;
          started = { choices: own, what: start(own, () => choices() === own) };
        }
        return started.what;
      };
    },
  };
}
