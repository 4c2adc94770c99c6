import { createEnds, type Listener, type TrackerEvents } from './ends.ts';
import type { AnyEvents, AttributesOf, EventData, EventsOf } from './event-types.ts';
import type { Profile } from './make-record.ts';
import { nameOf, resolveOptions, type Settings, type TrackerOptions } from './options.ts';
import type { PageStorage } from './page-storage.ts';
import { browserPlatform, type Platform } from './platform.ts';
import { randomId } from './random-id.ts';
import type { RetryReason } from './relay-client.ts';
import { removeKept, runTracker } from './running-tracker.ts';
import { statsOf, type TrackerStats } from './stats.ts';
import { createSteps, type Properties, type Step, type TrackerCall } from './steps.ts';
import { visitorsChoice } from './visitors-choice.ts';

/** What became of a flush: all is settled, or why it is not, and when it is tried again. */
export type FlushResult =
  | { readonly settled: true }
  /** The records are kept, and sent when the time has come. */
  | { readonly settled: false; readonly reason: RetryReason; readonly retryInMs: number };

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
   * Where records wait for somebody who is not signed in, the reason is `no_token` and `retryInMs` is `Infinity`.
   */
  flush(): Promise<FlushResult>;
  /** How many records this browser has made for the relay, how they ended, and how many wait; of all tabs and visits. */
  stats(): Promise<TrackerStats>;
  /**
   * Stops, in all tabs, and forgets all there is: ids, buffer, counts, the database. What waited is told as `dropped`; a
   * request that is under way can't be called back. From now on calls resolve and make nothing, on later visits too: a
   * mark that says so, and no more than that, is all that stays. Resolves when the rest is gone.
   */
  optOut(): Promise<void>;
  /** Begins again, as a browser that is not known, where the visitor has opted out. Resolves when it has begun. */
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
 * @param waits until the first call nothing is looked at, sent or kept
 */
export function startTracker(
  settings: Settings,
  platform: Platform,
  waits = false,
): Tracker & { readonly madeAt: (now: () => number) => Pick<Tracker, 'identify' | 'track'> } {
  const ends = createEnds(platform.report);
  const name = nameOf(settings.endpoint);
  const choice = visitorsChoice(platform.pageStorage, name);
  const running = choice.whileIn((choices) => {
    const isIn = () => choice.now() === choices;
    // What is not there any more can't be written down again.
    const pageStorage: PageStorage = {
      ...platform.pageStorage,
      set: (key, value) => isIn() && platform.pageStorage.set(key, value),
    };
    return runTracker(settings, { ...platform, pageStorage }, ends, choice, choices, isIn);
  });
  // One that was left in the middle of forgetting has not forgotten everything.
  if (!waits && !running()) {
    removeKept(platform.pageStorage, name);
    void platform.removeStorage(name);
  }
  let stopping: Promise<void> | undefined;
  let outs = 0;

  const { use, through } = createSteps(platform.report);
  const madeAt = (now: () => number): Pick<Tracker, 'identify' | 'track'> => {
    async function take(asked: TrackerCall): Promise<void> {
      const tracker = running();
      const call = tracker && through(asked);
      if (call) await tracker.take(call, now());
    }
    return {
      identify: (userId, profile) => take({ kind: 'user', userId, profile }),
      track: (eventName, eventData?: Properties) => take({ kind: 'event', eventName, eventData }),
    };
  };
  return {
    ...madeAt(platform.time.now),
    madeAt,
    reset: () => running()?.reset(),
    flush: async () => (await running()?.flush()) ?? { settled: true },
    stats: async () => (await running()?.stats()) ?? statsOf(undefined),
    optOut: async () => {
      outs++;
      stopping = running()?.stop() ?? stopping;
      return stopping;
    },
    optIn: async () => {
      const outsBefore = outs;
      // What begins anew must not be forgotten with the rest.
      await stopping;
      if (running()) return;
      const out = choice.now();
      const begin = () => {
        // Of several wishes the latest counts.
        if (outs === outsBefore) choice.set(out + 1);
        running();
      };
      if (!choice.isKept()) return begin();
      // Another tab may be about to forget the rest; or is gone, and has not.
      const isOut = () => choice.now() === out;
      const storage = platform.storage(name, () => {}, isOut);
      const exclusive = platform.exclusive(name, storage, randomId(platform.chance.bytes));
      await exclusive(async () => {
        if (!isOut()) return;
        removeKept(platform.pageStorage, name);
        await storage.clear();
        if (isOut()) begin();
      }).catch(() => {});
    },
    on: ends.on,
    use,
  };
}
