/** A tracker that only keeps its calls. */
export function listeningTracker(): {
  readonly tracker: { track(eventName: string, eventData?: object): Promise<void> };
  readonly views: Record<string, unknown>[];
  readonly names: string[];
  /** The paths of its calls since the last look. */
  readonly paths: () => unknown[];
} {
  const views: Record<string, unknown>[] = [];
  const names: string[] = [];
  let asked = 0;
  return {
    tracker: {
      track: async (eventName, eventData) => {
        // By index: a page may have replaced `push`.
        names[names.length] = eventName;
        views[views.length] = { ...eventData };
      },
    },
    views,
    names,
    paths: () => {
      const since = views.slice(asked).map(({ Path }) => Path);
      asked = views.length;
      return since;
    },
  };
}

/** Until all that the page does in this task, and at its end, is done. */
export function taskDone(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
