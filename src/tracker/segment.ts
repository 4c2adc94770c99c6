import { profileOf, type Traits } from './segment-traits.ts';

export type { Traits } from './segment-traits.ts';

/** All of a tracker that the facade needs: any has it, and so has what stands there until its script has loaded. */
export type SegmentTracker = {
  identify(userId: string, profile?: object): Promise<unknown>;
  track(eventName: string, eventData?: object): Promise<unknown>;
  reset(): unknown;
};

/** Called once the call is durable, or refused: a site may go to its next page by it. */
export type Callback = () => unknown;

/** An argument that may be missing, and in whose place the callback may stand. */
export type Given<What> = What | Callback | null | undefined;

/** `analytics`, as sites call it. What Segment has `options` for stays with Segment: they are passed over. */
export type SegmentLike = {
  /** Without a `userId`, of the one that was identified last on this page. */
  identify(
    userId?: string | number | Traits | null,
    traits?: Given<Traits>,
    options?: Given<object>,
    callback?: Given<never>,
  ): Promise<unknown>;
  track(
    eventName: string,
    properties?: Given<object>,
    options?: Given<object>,
    callback?: Given<never>,
  ): Promise<unknown>;
  /** A `Page Viewed` with `URL` and `Path`, without a query, with `Title`, `Category`, `Name` and the properties. */
  page(
    category?: Given<string | object>,
    name?: Given<string | object>,
    properties?: Given<object>,
    options?: Given<object>,
    callback?: Given<never>,
  ): Promise<unknown>;
  reset(): void;
  ready(callback: Callback): Promise<unknown>;
  user(): {
    /** Who was identified last on this page. */
    id(): string | null;
  };
  /** WebEngage can't: the promise rejects, and the console is told, once. */
  alias(...call: readonly unknown[]): Promise<never>;
  /** WebEngage can't: the promise rejects, and the console is told, once. */
  group(...call: readonly unknown[]): Promise<never>;
};

type Call = readonly unknown[];

/** Makes a call, in this task, and tells its callback once it has ended, however that was. */
async function called<End>(call: Call, make: () => Promise<End>): Promise<End> {
  try {
    return await make();
  } finally {
    (call.find((one) => typeof one === 'function') as Callback | undefined)?.();
  }
}

/**
 * Segment's `analytics`, by a tracker: for a site whose code calls it all over.
 * Its promises are the tracker's; nothing is ever thrown.
 */
export function segmentLike(tracker: SegmentTracker): SegmentLike {
  let userId = '';
  const told = new Set<string>();

  function cannot(call: Call, why: string): Promise<never> {
    if (!told.has(why)) console.warn(why);
    told.add(why);
    const end = called(call, () => Promise.reject<never>(new Error(why)));
    // Who awaits it is told; to who doesn't it is no error of their page.
    end.catch(() => {});
    return end;
  }

  return {
    identify(...call) {
      const [who, given] = call;
      const isNamed = typeof who !== 'object';
      if (isNamed && who) userId = `${who}`;
      const traits = isNamed || !who ? given : who;
      // In place of traits there may be a callback, or null, which have nothing in them.
      return userId
        ? called(call, () => tracker.identify(userId, profileOf({ ...(traits as Traits) })))
        : cannot(call, 'identify needs a userId');
    },
    track: (eventName, ...call) => called(call, () => tracker.track(eventName, { ...(call[0] as object) })),
    page: (...call) =>
      called(call, () => {
        const [Name, Category] = call.filter((one) => typeof one === 'string').reverse();
        const properties = call
          .slice(call.lastIndexOf(Name) + 1)
          .find((one) => typeof one === 'object' && (one || Name));
        const { origin, pathname } = location;
        const view = { URL: origin + pathname, Path: pathname, Title: document.title, Category, Name };
        return tracker.track('Page Viewed', { ...view, ...(properties as object) });
      }),
    reset() {
      userId = '';
      tracker.reset();
    },
    ready: (callback) => Promise.resolve().then(callback),
    user: () => ({ id: () => userId || null }),
    alias: (...call) => cannot(call, 'alias: WebEngage merges no users'),
    group: (...call) => cannot(call, 'group: WebEngage has no groups'),
  };
}
