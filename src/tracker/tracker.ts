import type { AddOn } from './add-ons/add-on.ts';
import { browserPlatform } from './browser-platform.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import { sendableChanged } from './engine/flush-schedule.ts';
import { createMiddleware, type Middleware, type Properties, type TrackerCall } from './engine/middleware.ts';
import { resolveOptions, type TrackerOptions } from './options.ts';
import { leadNow } from './page/clock.ts';
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

/** The calls of a page. No method needs `this`: `const { track } = tracker` works too. */
export type Tracker<Events extends object = AnyEvents, Attributes extends object = object> = {
  /**
   * Sets who the visitor is, from now on, and describes them.
   * Resolves once the record is durable. Rejects with a `RecordError` if the user id is invalid. An invalid
   * profile does not prevent the sign-in, unless `checks()` is strict: the wrong part is cut or left out, and
   * `on('repaired')` reports it.
   */
  identify(userId: string, profile?: Profile<Attributes>): Promise<void>;
  /** Describes the current visitor, signed in or anonymous. */
  identify(profile: Profile<Attributes>): Promise<void>;
  /**
   * Records an event, with the current time.
   * Resolves once the record is durable. Rejects with a `RecordError` if the event name is
   * missing or too long.
   */
  track<Name extends keyof Events & string>(
    eventName: Name,
    ...eventData: EventData<Events, Name>
  ): Promise<void>;
  /** Logs out. To WebEngage, later calls come from a new anonymous visitor. */
  reset(): void;
  /**
   * Sends now, and never rejects.
   * Resolves when the records buffered at the call are settled, or with the reason why they are not. While
   * the tracker waits for a sign-in or for consent, `retryInMs` is `Infinity`.
   */
  flush(): Promise<FlushResult>;
  /** Counts this browser's records by outcome, including those that wait, across all tabs and visits. */
  stats(): Promise<TrackerStats>;
  /**
   * Stops in all tabs, and forgets everything: ids, buffer and counts.
   *
   * Records that wait are reported as `dropped`. A request in flight can't be called back. From now on
   * calls resolve without a record, on later visits too. Only a mark of the opt-out stays, in
   * `localStorage` and in the database.
   *
   * Resolves when the rest is deleted. Rejects if the browser keeps the mark in neither.
   *
   * If the visitor has yet to choose, it discards the calls that wait. If there is nothing to forget,
   * it leaves no mark.
   */
  optOut(): Promise<void>;
  /**
   * Records the visitor's consent. Resolves when tracking has begun.
   * Calls that waited for consent are made before later ones. A visitor who had opted out begins
   * again, as a new browser.
   */
  optIn(): Promise<void>;
  /**
   * Passes each later `identify` and `track` call to middleware, before a record is made.
   * Middleware runs at the call, and can add to it, change it or refuse it. The promise of a refused call
   * resolves. The call is not counted, and signs no one in. An error in middleware is reported as the page's
   * own, and the call goes on unchanged. Returns a function that removes the middleware.
   */
  use(middleware: Middleware): () => void;
  /** Listens to the outcomes of records. Returns a function that removes the listener. */
  on<Name extends keyof TrackerEvents>(name: Name, listener: Listener<Name>): () => void;
};

/** A tracker that can make calls with an earlier time: those queued before the script had loaded. */
export type StartedTracker = Tracker & {
  /** The calls, as made at a moment of the visitor's clock, and on a page. */
  readonly madeAt: (wall?: number, page?: string) => Pick<Tracker, 'identify' | 'track'>;
};

/**
 * Creates a tracker for one relay. Make one per page and keep it.
 * Trackers with the same endpoint share one buffer. Throws a `RangeError` for an invalid option.
 *
 * `Events` declares your events: `{ 'Added to Cart': { Price: number }; 'Signed Out': undefined }`.
 * `Attributes` declares those of your users: `{ Plan?: 'free' | 'paid' }`.
 */
export function createTracker<
  Events extends EventsOf<Events> = AnyEvents,
  Attributes extends object & AttributesOf<Attributes> = object,
>(options: TrackerOptions): Tracker<Events, Attributes> {
  const { madeAt: _, ...tracker } = startTracker(resolveOptions(options), browserPlatform(), options.plugins);
  // It accepts any event. The declarations only narrow which calls compile.
  return tracker as Tracker<Events, Attributes>;
}

/** Wraps the engine of a page in the add-ons. */
function engineWith(plugins: readonly AddOn[] | undefined, page: Page): Engine {
  let engine = createEngine(page);
  plugins?.forEach((addOn) => {
    page.tokens ??= addOn.sendable?.(page, (sendsNow) => sendableChanged(page, sendsNow));
    engine = addOn.engine?.(engine, page) ?? engine;
  });
  return engine;
}

/**
 * Starts a tracker on a given platform.
 *
 * @param isPassive does nothing by itself before the first call
 */
export function startTracker(
  settings: Settings,
  platform: Platform,
  plugins?: readonly AddOn[],
  isPassive?: boolean,
): StartedTracker {
  const { time, chance, report } = platform;
  const { emit, on } = createEmitter(report, settings.debug);
  const { use, run } = createMiddleware(report);
  const page = createPage(platform, settings, emit);
  const { open, isHeard, add, ...engine } = engineWith(plugins, page);
  if (!isPassive) open();

  let readAt = 0;
  let lead = 0;

  /** Makes a call whose values are copied, now or as at a moment of the visitor's clock. */
  function make(
    captured: Captured | Pick<Call, 'kind' | 'json' | 'anonymousId'>,
    at?: number,
  ): Promise<void> {
    const now = time.wall();
    // Browsers take their time to read this clock: once a millisecond is enough. And once a task, since a
    // page may have stopped its `Date`.
    if (now !== readAt || !page.isTaskOpen) {
      readAt = now;
      lead = leadNow(page);
    }
    // The time of a stub may come from a `Date` of the page's own, and be NaN.
    const wall = at || now;
    const id = `${page.session}.${++page.seq}`;
    return add({ ...captured, id, wall, mono: wall - lead });
  }

  /** Copies and makes a call, as at a moment of the visitor's clock and on a page. */
  async function take(asked: TrackerCall, at?: number, page = platform.address()): Promise<void> {
    const call = isHeard() && run({ ...asked, page });
    if (!call) return;
    const isEvent = call.kind === 'event';
    const record = isEvent ? call.eventName : 'identify';
    const repairs: Repair[] = [];
    const report = (repair: Repair) => {
      repairs[repairs.length] = repair;
    };
    // Copied now, though the call may have to wait: the page may change its values.
    let captured = isEvent
      ? captureEvent(record, call.eventData, report)
      : captureUser(call.userId, call.profile, report);
    plugins?.forEach(({ check }) => {
      captured = check?.(captured, repairs) ?? captured;
    });
    for (const repair of repairs) emit('repaired', { ...repair, record });
    await make(captured, at);
  }

  const madeAt = (...at: readonly [wall?: number, page?: string]): Pick<Tracker, 'identify' | 'track'> => ({
    identify: (who: unknown, profile?: Profile) =>
      typeof who === 'object' && who
        ? take({ kind: 'user', profile: who }, ...at)
        : // An id that is not text is invalid: undefined would mean the anonymous visitor.
          take({ kind: 'user', userId: typeof who === 'string' ? who : '', profile }, ...at),
    track: (eventName, eventData?: Properties) => take({ kind: 'event', eventName, eventData }, ...at),
  });

  return {
    ...madeAt(),
    ...engine,
    madeAt,
    on,
    use,
    optOut: () => {
      emit('reset', { optedOut: true });
      return engine.optOut();
    },
    reset: () => {
      const reset = { kind: 'reset', json: '', anonymousId: randomUuid(chance.bytes) } as const;
      if (isHeard()) {
        emit('reset', { optedOut: false });
        void make(reset);
      }
    },
  };
}
