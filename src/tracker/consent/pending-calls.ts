/** Calls that wait in memory for the visitor's choice. `By`: what makes them, if it is yes. */
export type WaitingCalls<By> = {
  /** Resolves once the call is made, or let go. */
  readonly add: <End>(make: (by: By) => End | Promise<End>, isEvent?: boolean) => Promise<End | undefined>;
  /** Has all of them made, at once and in the order they came; or lets them go, where there is nothing to make them by. */
  readonly end: (by: By | undefined) => void;
};

/**
 * Of more than `most` the oldest event is let go. What says whose the others are stays: without the `identify` or the
 * `reset` before them they would be somebody else's.
 *
 * @param tellLetGo is called for each that had no room
 */
export function waitingCalls<By>(most: number, tellLetGo: () => void): WaitingCalls<By> {
  const waiting: { readonly isEvent: boolean | undefined; readonly end: (by?: By) => void }[] = [];

  return {
    add: <End>(make: (by: By) => End | Promise<End>, isEvent?: boolean) =>
      new Promise<End | undefined>((resolve) => {
        // What one throws is its own promise's, and ends none of the others.
        const end = (by?: By) => resolve(by && new Promise<End>((made) => made(make(by))));
        waiting.push({ isEvent, end });
        if (waiting.length <= most) return;
        const oldest = waiting.findIndex((call) => call.isEvent);
        for (const { end } of waiting.splice(Math.max(oldest, 0), 1)) end();
        tellLetGo();
      }),
    end: (by) => {
      for (const { end } of waiting.splice(0)) end(by);
    },
  };
}
