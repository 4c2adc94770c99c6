import { profileOf, type Traits } from './traits.ts';

export type { Traits } from './traits.ts';

/** The part of a tracker that the facade needs. The stub that queues calls has it too. */
export type SegmentTracker = {
  /** Takes a user id with a profile, or only a profile, for the anonymous visitor. */
  identify(who: string | object, profile?: object): Promise<unknown>;
  track(eventName: string, eventData?: object | null): Promise<unknown>;
  reset(): unknown;
};

/** Called once the call is durable or refused. A site can use it to go to its next page. */
export type Callback = () => unknown;

/** An argument that may be missing. The callback may take its place. */
export type Given<What> = What | Callback | null | undefined;

/** `analytics`, as sites call it. Segment's `options` are ignored. */
export type SegmentLike = {
  /** Without a `userId`, describes the user identified last on this page, or else the anonymous visitor. */
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
  /**
   * Tracks `Page Viewed`, with the properties, and with `URL`, `Path`, `Title`, `Category` and `Name`.
   * `URL` and `Path` have no query.
   */
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
    /** The user identified last on this page; null before that, and after `reset()`. */
    id(): string | null;
  };
  /** Always rejects: WebEngage has no equivalent. */
  alias(...call: readonly unknown[]): Promise<never>;
  /** Always rejects: WebEngage has no equivalent. */
  group(...call: readonly unknown[]): Promise<never>;
};

/**
 * Segment's `analytics` on top of a tracker, for a site whose code calls it everywhere.
 *
 * It returns the tracker's promises and never throws. The console reports why a call was refused,
 * once for each reason.
 */
export function segmentLike(tracker: SegmentTracker): SegmentLike {
  let userId = '';
  const reported: { [why: string]: true } = {};

  /**
   * Makes the call at once, without its callback. Calls the callback once the call has ended, whether
   * it succeeded or not.
   */
  const method =
    <Call extends readonly unknown[], End>(make: (...call: Call) => Promise<End>) =>
    (...given: { [Position in keyof Call]: Call[Position] | Callback }): Promise<End> => {
      let callback: Callback | undefined;
      const call: unknown[] = [];
      // A loop without `push`: pages replace array methods.
      for (const one of given)
        if (typeof one === 'function') callback = one as Callback;
        else call[call.length] = one;
      // A callback comes last, so the arguments before it keep their places.
      const end = (async () => make(...(call as unknown as Call)))();
      // A caller who awaits the promise gets the error. For all others it must not be an error of the page.
      end.finally(callback).catch(({ message }: Error) => {
        if (!reported[message]) console.warn(message);
        reported[message] = true;
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
        // After a name, null means no properties. Before one, it means no name.
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
