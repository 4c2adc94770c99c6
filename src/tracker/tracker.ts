import { underConsent } from './consent/consent.ts';
import type { RetryReason } from './delivery/relay-client.ts';
import { createEnds, type Listener, type TrackerEvents } from './engine/events.ts';
import { createSteps, type Properties, type Step, type TrackerCall } from './engine/middleware.ts';
import { browserPlatform, type Platform } from './engine/platform.ts';
import { resolveOptions, type Settings, type TrackerOptions } from './options.ts';
import type { AnyEvents, AttributesOf, EventData, EventsOf } from './record/event-types.ts';
import { makeEvent, makeUser, type Profile } from './record/make-record.ts';
import { statsOf, type TrackerStats } from './store/stats.ts';

/** What became of a flush: all is settled, or why it is not, and when it is tried again. */
export type FlushResult =
  | { readonly settled: true }
  /** The records are kept, and sent when the time has come. */
  | {
      readonly settled: false;
      /** `no_consent`: nothing is known, for nothing may be looked at. */
      readonly reason: RetryReason | 'no_consent';
      readonly retryInMs: number;
    };

/** What a page calls. Every method stands by itself: `const { track } = tracker` is as good. */
export type Tracker<Events extends object = AnyEvents, Attributes extends object = object> = {
  /**
   * Says who the visitor is, from now on, and what is known of them.
   * Resolves once the record is durable; rejects with a `RecordError` where the contract refuses it as a whole.
   */
  identify(userId: string, profile?: Profile<Attributes>): Promise<void>;
  /**
   * Says that something happened, now.
   * Resolves once the record is durable; rejects with a `RecordError` where the contract refuses it as a whole.
   */
  track<Name extends keyof Events & string>(
    eventName: Name,
    ...eventData: EventData<Events, Name>
  ): Promise<void>;
  /** Logs out: a new anonymous visitor, as far as WebEngage can tell. */
  reset(): void;
  /**
   * Sends now. Resolves when what was buffered at the call is settled, or says why it is not; never rejects.
   * Where records wait for somebody who is not signed in, the reason is `no_token` and `retryInMs` is `Infinity`; so it is
   * with `no_consent`, while the visitor has yet to choose.
   */
  flush(): Promise<FlushResult>;
  /** How many records this browser has made for the relay, how they ended, and how many wait; of all tabs and visits. */
  stats(): Promise<TrackerStats>;
  /**
   * Stops, in all tabs, and forgets all there is: ids, buffer, counts, the database. What waited is told as `dropped`; a
   * request that is under way can't be called back. From now on calls resolve and make nothing, on later visits too: a
   * mark that says so, and no more than that, is all that stays. Resolves when the rest is gone.
   * Before `optIn()`, with `consent` at `pending` or `denied`: lets go what waits, and has it stay so on this page. Where
   * there is nothing to forget no mark is made.
   */
  optOut(): Promise<void>;
  /**
   * The visitor consents. What has waited for it is made, before what is called later. Where the visitor had opted out,
   * begins again, as a browser that is not known. Resolves when it has begun.
   */
  optIn(): Promise<void>;
  /**
   * Has a step look at each `identify` and `track` from now on, at once, before a record is made: to add to it, to change
   * it or to refuse it. The promise of a call that is refused resolves; it counts nowhere, and signs nobody in.
   * What a step throws is reported as the page's own error, and its call goes on as it came. Answers with what ends it.
   */
  use(step: Step): () => void;
  /** Listens to what becomes of records; answers with what ends it. */
  on<Name extends keyof TrackerEvents>(name: Name, listener: Listener<Name>): () => void;
};

/**
 * A tracker for one relay. Make one a page and keep it; several for one endpoint share one buffer.
 * `Events` declares your events: `{ 'Added to Cart': { Price: number }; 'Signed Out': undefined }`. `Attributes` declares those
 * of your users: `{ Plan?: 'free' | 'paid' }`.
 * Throws a `RangeError` for an impossible option.
 */
export function createTracker<
  Events extends EventsOf<Events> = AnyEvents,
  Attributes extends object & AttributesOf<Attributes> = object,
>(options: TrackerOptions): Tracker<Events, Attributes> {
  // It takes any event: what is declared of them narrows the calls that compile, and nothing else.
  return startTracker(resolveOptions(options), browserPlatform()) as Tracker<Events, Attributes>;
}

/**
 * The tracker on a platform of the caller's choice. `madeAt` is for calls made before the script had loaded.
 *
 * @param isForBuffer sends what pages have made with consent: until the first call nothing is looked at, sent or kept
 */
export function startTracker(
  settings: Settings,
  platform: Platform,
  isForBuffer = false,
): Tracker & {
  readonly madeAt: (now: () => number, page: () => string | undefined) => Pick<Tracker, 'identify' | 'track'>;
} {
  const ends = createEnds(platform.report);
  const { isPending, isHeard, make, optIn, optOut } = underConsent(settings, platform, ends, isForBuffer);
  const { use, through } = createSteps(platform.report);
  const madeAt = (now: () => number, page: () => string | undefined): Pick<Tracker, 'identify' | 'track'> => {
    async function take(asked: TrackerCall): Promise<void> {
      const call = isHeard() && through({ ...asked, page: page() });
      if (!call) return;
      // Now, though it may have to wait: what is wrong with it is told to who has called, and what is right stays as it was.
      const made =
        call.kind === 'user'
          ? makeUser(call.userId, call.profile, now(), settings.strict)
          : makeEvent(call.eventName, call.eventData, now(), settings.strict);
      await make((tracker) => tracker.take(made), call.kind === 'event');
    }
    return {
      identify: (userId, profile) => take({ kind: 'user', userId, profile }),
      track: (eventName, eventData?: Properties) => take({ kind: 'event', eventName, eventData }),
    };
  };

  return {
    ...madeAt(platform.time.now, platform.address),
    madeAt,
    reset: () => void make((tracker) => tracker.reset()),
    flush: async () =>
      isPending()
        ? { settled: false, reason: 'no_consent', retryInMs: Number.POSITIVE_INFINITY }
        : ((await make((tracker) => tracker.flush())) ?? { settled: true }),
    stats: async () =>
      (isPending() ? undefined : await make((tracker) => tracker.stats())) ?? statsOf(undefined),
    optOut,
    optIn,
    on: ends.on,
    use,
  };
}
