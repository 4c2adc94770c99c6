import type { AddOn } from './add-ons/add-on.ts';
import { browserPlatform } from './browser-platform.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import { sendableChanged } from './engine/flush-schedule.ts';
import { createMiddleware, type Middleware, type Properties, type TrackerCall } from './engine/middleware.ts';
import { resolveOptions, type TrackerOptions } from './options.ts';
import { createPage } from './page/create-page.ts';
import { createEmitter, type Listener, type TrackerEvents } from './page/events.ts';
import type { Page } from './page/page.ts';
import type { Platform } from './page/platform.ts';
import type { Settings } from './page/settings.ts';
import type { Call } from './record/call.ts';
import { type Captured, captureEvent, captureUser } from './record/capture.ts';
import type { AnyEvents, AttributesOf, EventData, EventsOf } from './record/event-types.ts';
import type { FlushResult, Repair } from './record/outcome.ts';
import type { Profile } from './record/profile.ts';
import { randomUuid } from './record/random-id.ts';
import type { TrackerStats } from './store/stats.ts';

/** What a page calls. Every method stands by itself: `const { track } = tracker` is as good. */
export type Tracker<Events extends object = AnyEvents, Attributes extends object = object> = {
  /**
   * Says who the visitor is, from now on, and what is known of them.
   * Resolves once the record is durable; rejects with a `RecordError` where the user id is none. What is wrong with the
   * profile never costs the sign-in: it is cut or left out, and `on('repaired')` tells.
   */
  identify(userId: string, profile?: Profile<Attributes>): Promise<void>;
  /** Says what is known of the visitor, whoever that is: somebody who has not signed in, too. */
  identify(profile: Profile<Attributes>): Promise<void>;
  /**
   * Says that something happened, now.
   * Resolves once the record is durable; rejects with a `RecordError` where there is no event name.
   */
  track<Name extends keyof Events & string>(
    eventName: Name,
    ...eventData: EventData<Events, Name>
  ): Promise<void>;
  /** Logs out: a new anonymous visitor, as far as WebEngage can tell. */
  reset(): void;
  /**
   * Sends now. Resolves when the records buffered at the call are settled, or says why they are not; never rejects.
   * Where the tracker waits for a sign-in or for consent, `retryInMs` is `Infinity`.
   */
  flush(): Promise<FlushResult>;
  /** How many records this browser has made for the relay, how they ended, and how many wait; of all tabs and visits. */
  stats(): Promise<TrackerStats>;
  /**
   * Stops, in all tabs, and forgets everything: ids, buffer, counts. Waiting records are told as `dropped`; a request that
   * is under way can't be called back. From now on calls resolve and make nothing, on later visits too: a mark that says
   * so is all that stays, in `localStorage` and in the database. Resolves when the rest is gone; rejects where the browser
   * keeps the mark in neither.
   * Before `optIn()`, where the visitor has yet to choose: lets go the calls that wait. Where there is nothing to forget no
   * mark is made.
   */
  optOut(): Promise<void>;
  /**
   * The visitor consents. Calls that have waited for it are made, before later ones. A visitor who had opted out begins
   * again, as a browser that is not known. Resolves when it has begun.
   */
  optIn(): Promise<void>;
  /**
   * Has middleware look at each `identify` and `track` from now on, at once, before a record is made: to add to it, to
   * change it or to refuse it. The promise of a call that is refused resolves; it counts nowhere, and signs nobody in.
   * What middleware throws is reported as the page's own error, and its call goes on as it came. Answers with what ends it.
   */
  use(middleware: Middleware): () => void;
  /** Listens to what becomes of records; answers with what ends it. */
  on<Name extends keyof TrackerEvents>(name: Name, listener: Listener<Name>): () => void;
};

/** A tracker whose calls can be made in the name of an earlier moment: those that were queued before the script had loaded. */
export type StartedTracker = Tracker & {
  /** The calls as made at a moment of the visitor's clock, and on a page. */
  readonly madeAt: (wall?: number, page?: string) => Pick<Tracker, 'identify' | 'track'>;
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
  const { madeAt: _, ...tracker } = startTracker(resolveOptions(options), browserPlatform(), options.plugins);
  // It takes any event: what is declared of them narrows the calls that compile, and nothing else.
  return tracker as Tracker<Events, Attributes>;
}

/** Puts the add-ons before the engine of a page. */
function engineWith(plugins: readonly AddOn[], page: Page): Engine {
  let engine = createEngine(page);
  for (const addOn of plugins) {
    page.tokens ??= addOn.sendable?.(page, (sendsNow) => sendableChanged(page, sendsNow));
    engine = addOn.engine?.(engine, page) ?? engine;
  }
  return engine;
}

/**
 * The tracker on a platform of the caller's choice.
 *
 * @param isPassive does nothing by itself before the first call
 */
export function startTracker(
  settings: Settings,
  platform: Platform,
  plugins: readonly AddOn[] = [],
  isPassive = false,
): StartedTracker {
  const { time, chance, report } = platform;
  const { emit, on } = createEmitter(report, settings.debug);
  const { use, run } = createMiddleware(report);
  const page = createPage(platform, settings, emit);
  const { open, isHeard, add, ...engine } = engineWith(plugins, page);
  if (!isPassive) open();

  /** Makes a call that has been copied, as at a moment of the visitor's clock. */
  function make(
    captured: Captured | Pick<Call, 'kind' | 'json' | 'anonymousId'>,
    wall: number,
  ): Promise<void> {
    const id = `${page.session}.${++page.seq}`;
    return add({ ...captured, id, wall, mono: time.mono() - time.wall() + wall });
  }

  /** Makes a call, as at a moment of the visitor's clock and on a page. */
  async function take(asked: TrackerCall, at?: number, page = platform.address()): Promise<void> {
    const call = isHeard() && run({ ...asked, page });
    if (!call) return;
    const isEvent = call.kind === 'event';
    const record = isEvent ? call.eventName : 'identify';
    const repairs: Repair[] = [];
    const tell = (repair: Repair) => {
      repairs[repairs.length] = repair;
    };
    // Now, though it may have to wait: the page may change what it gave.
    let captured = isEvent
      ? captureEvent(record, call.eventData, tell)
      : captureUser(call.userId, call.profile, tell);
    for (const { check } of plugins) captured = check?.(captured, repairs) ?? captured;
    for (const repair of repairs) emit('repaired', { ...repair, record });
    // A stub may have been told the time by a `Date` of the page's own.
    await make(captured, at || time.wall());
  }

  const madeAt = (...at: readonly [wall?: number, page?: string]): Pick<Tracker, 'identify' | 'track'> => ({
    identify: (who: unknown, profile?: Profile) =>
      typeof who === 'object' && who
        ? take({ kind: 'user', profile: who }, ...at)
        : // What is no text is no id; undefined would be the anonymous visitor's.
          take({ kind: 'user', userId: typeof who === 'string' ? who : '', profile }, ...at),
    track: (eventName, eventData?: Properties) => take({ kind: 'event', eventName, eventData }, ...at),
  });

  return {
    ...madeAt(),
    ...engine,
    madeAt,
    on,
    use,
    reset: () => {
      const reset = { kind: 'reset', json: '', anonymousId: randomUuid(chance.bytes) } as const;
      if (isHeard()) void make(reset, time.wall());
    },
  };
}
