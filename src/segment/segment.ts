import { profileOf, type Traits } from './traits.ts';

export type { Traits } from './traits.ts';

/** All of a tracker that the facade needs: any has it, and so has what stands there until its script has loaded. */
export type SegmentTracker = {
  /** Of a user by their id, or, by the profile alone, of the anonymous visitor. */
  identify(who: string | object, profile?: object): Promise<unknown>;
  track(eventName: string, eventData?: object | null): Promise<unknown>;
  reset(): unknown;
};

/** Called once the call is durable, or refused: a site may go to its next page by it. */
export type Callback = () => unknown;

/** An argument that may be missing, and in whose place the callback may stand. */
export type Given<What> = What | Callback | null | undefined;

/** `analytics`, as sites call it. What Segment has `options` for stays with Segment: they are passed over. */
export type SegmentLike = {
  /** Without a `userId`, of the user identified last on this page; before there is one, of the anonymous visitor. */
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
  /** WebEngage can't: the promise rejects. */
  alias(...call: readonly unknown[]): Promise<never>;
  /** WebEngage can't: the promise rejects. */
  group(...call: readonly unknown[]): Promise<never>;
};

/**
 * Segment's `analytics`, by a tracker: for a site whose code calls it all over.
 * Its promises are the tracker's. Nothing is ever thrown; why a call is refused the console is told, once for each reason.
 */
export function segmentLike(tracker: SegmentTracker): SegmentLike {
  let userId = '';
  const told: { [why: string]: true } = {};

  function warned(why: string): true {
    console.warn(why);
    return true;
  }

  /** Makes the call at once, without its callback, and calls that once it has ended, however that was. */
  const method =
    <Call extends readonly unknown[], End>(make: (...call: Call) => Promise<End>) =>
    (...given: { [Position in keyof Call]: Call[Position] | Callback }): Promise<End> => {
      let callback: Callback | undefined;
      const call: unknown[] = [];
      // A loop, and no `push`: pages replace the methods of arrays.
      for (const one of given)
        if (typeof one === 'function') callback = one as Callback;
        else call[call.length] = one;
      // A callback stands where arguments end, so those before it keep their places.
      const end = (async () => make(...(call as unknown as Call)))().finally(callback);
      // Who awaits it is told; to who doesn't it is no error of their page.
      end.catch(({ message }: Error) => {
        told[message] ||= warned(message);
      });
      return end;
    };

  return {
    identify: method((who, given) => {
      if (typeof who === 'object') given = who ?? given;
      else if (who) userId = `${who}`;
      const profile = profileOf(given);
      return userId ? tracker.identify(userId, profile) : tracker.identify(profile);
    }),
    track: method((eventName: string, properties?: object | null) => tracker.track(eventName, properties)),
    page: method((...call) => {
      let Category: string | undefined;
      let Name: string | undefined;
      let properties: object | null | undefined;
      for (const one of call) {
        if (typeof one === 'string') {
          Category = Name;
          Name = one;
        }
        // Null is no properties behind a name, and no name before one.
        else properties ??= Name && one === null ? {} : one;
      }
      return tracker.track('Page Viewed', {
        URL: location.origin + location.pathname,
        Path: location.pathname,
        Title: document.title,
        Category,
        Name,
        ...properties,
      });
    }),
    reset() {
      userId = '';
      tracker.reset();
    },
    ready: method(async () => {}),
    user: () => ({ id: () => userId || null }),
    alias: method(() => {
      throw new Error('WebEngage has no alias');
    }),
    group: method(() => {
      throw new Error('WebEngage has no group');
    }),
  };
}
