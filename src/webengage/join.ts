import { LOGINS_KEY } from '../tracker/add-ons/supplied-id.ts';
import type { Tracker } from '../tracker/tracker.ts';
import { type ForwardedEvent, forwardedEvents } from './forwarded-events.ts';
import { LOGOUT, type LoginStorage, lastUser, NOTHING, stateStore } from './login-state.ts';
import { CONSENT_LOOK_MS, createLogins, type LoginToken, MAX_TIMER_MS } from './logins.ts';
import { pagePlace, type SdkPlace, watchSdk } from './sdk.ts';

/** The part of a tracker that is joined with the SDK. The stub that queues calls has it too. */
export type JoinedTracker = Pick<Tracker, 'use' | 'on' | 'flush' | 'stats'> & {
  track(eventName: string, eventData?: object): Promise<unknown>;
};

/** Options of `joinWebEngage`. */
export type JoinOptions = {
  /**
   * The names of events that go to the SDK instead of the relay. Only an event that the SDK gets can start a message
   * on the page.
   *
   * @default none
   */
  readonly forward?: readonly string[];

  /**
   * Gets the identity token with which the SDK logs a user in, if your account requires one.
   *
   * @default none: the SDK logs in without a token
   */
  readonly login?: LoginToken;

  /**
   * How long a login waits for anonymous records to be sent, and a forwarded event for the SDK, in milliseconds.
   * `Infinity`: for as long as it takes.
   *
   * @default 5000
   */
  readonly wait?: number;
};

/** Everything that is needed of the page. Tests provide their own. */
export type JoinPlatform = SdkPlace & {
  readonly now: () => number;
  readonly storage: LoginStorage;
  /** Calls back whenever the page may be gone in a moment. */
  readonly whenHidden: (run: () => void) => void;
  readonly warn: (text: string) => void;
};

// WebEngage's limit for user ids.
const MAX_ID_LENGTH = 100;

const pagePlatform: JoinPlatform = {
  ...pagePlace,
  now: () => performance.now(),
  storage: {
    get: () => localStorage.getItem(LOGINS_KEY),
    set: (text) => localStorage.setItem(LOGINS_KEY, text),
  },
  whenHidden: (run) => {
    addEventListener('pagehide', run);
    document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && run());
  },
  warn: (text) => console.warn(text),
};

function checked({ forward = [], login, wait = 5_000 }: JoinOptions) {
  if (!Array.isArray(forward) || !forward.every((name) => typeof name === 'string'))
    throw new RangeError('forward must be a list of event names');
  if (login !== undefined && typeof login !== 'function')
    throw new RangeError(`login must be a function, not ${login}`);
  if (!(wait >= 0)) throw new RangeError(`wait must be a number of milliseconds, not ${wait}`);
  return { forward: forward as readonly string[], login, wait };
}

/** Reports each problem once, without a user or a value. */
function reporter(warn: (text: string) => void): (trouble: string) => void {
  const reported: { [trouble: string]: true } = {};
  return (trouble) => {
    if (!reported[trouble]) warn(`webengage-relay: ${trouble}`);
    reported[trouble] = true;
  };
}

/** The same as `joinWebEngage`, on a given platform. */
export function joinOn(tracker: JoinedTracker, options: JoinOptions, platform: JoinPlatform): () => void {
  const { forward, login, wait } = checked(options);
  const { now, timer } = platform;
  const state = stateStore(platform.storage);
  const report = reporter(platform.warn);
  let isOver = false;
  let hasConsent = false;
  let isAsking = false;
  let isOwnCall = false;
  // The page before this one may have sent records as it was left.
  let deliveredAt = now();
  let becomeReady = () => {};
  const ready = new Promise<void>((resolve) => {
    becomeReady = resolve;
  });

  const toRelay = ({ eventName, eventData }: ForwardedEvent) => {
    isOwnCall = true;
    // The promise of the page's own call has resolved, so the error is reported here.
    tracker
      .track(eventName, eventData)
      .catch(() => report('a forwarded event is invalid, and the relay did not get it'));
    isOwnCall = false;
  };
  const allowed = () => {
    hasConsent = true;
    events.pass();
  };
  // Until the SDK has logged out, it would give the event to the previous user.
  const isAllowed = () => hasConsent && !state.read().todo.includes(LOGOUT);
  const watch = watchSdk(platform, () => {
    logins.resume();
    becomeReady();
    events.pass();
  });
  const ports = {
    tracker,
    state,
    sdk: watch.get,
    ready,
    now,
    timer,
    report,
    toRelay,
    allowed,
    changed: () => events.pass(),
  };
  const events = forwardedEvents(Math.min(wait, MAX_TIMER_MS), { ...ports, isAllowed });
  const logins = createLogins(wait, login, { ...ports, deliveredAt: () => deliveredAt });

  /** Only a flush tells whether the visitor has yet to choose. */
  async function askConsent(): Promise<void> {
    if (hasConsent || isAsking) return;
    isAsking = true;
    // The stub's promise rejects if the tracker's script never loads.
    const result = await tracker.flush().catch(() => undefined);
    isAsking = false;
    if (result?.settled === false && result.reason === 'no_consent')
      timer(() => void askConsent(), CONSENT_LOOK_MS);
    else if (result) allowed();
  }

  function signIn(userId: string): void {
    const last = lastUser(state.read());
    // The waiting events are another person's.
    if (last && last !== userId) events.release();
    logins.identify(userId);
  }

  tracker.use((call) => {
    if (isOver || isOwnCall) return undefined;
    watch.look();
    if (call.kind === 'user') {
      // The tracker refuses a longer id.
      if (call.userId && call.userId.length <= MAX_ID_LENGTH) signIn(call.userId);
      return undefined;
    }
    if (!forward.includes(call.eventName)) return undefined;
    // A copy: the page may change its object while the event waits.
    events.add({ eventName: call.eventName, eventData: { ...call.eventData } });
    void askConsent();
    return null;
  });
  tracker.on('delivered', () => {
    deliveredAt = now();
  });
  tracker.on('reset', ({ optedOut }) => {
    if (isOver) return;
    if (optedOut) {
      hasConsent = false;
      events.discard();
      state.write(NOTHING);
    } else {
      events.release();
      logins.reset();
    }
  });
  platform.whenHidden(() => events.release());
  logins.resume();

  return () => {
    isOver = true;
    events.release();
  };
}

/**
 * Joins a tracker with WebEngage's own SDK on the page, so that both know the same visitor.
 *
 * - `identify` with a user id logs the SDK in too, once for each user, after the records of the anonymous visitor have
 *   been sent. WebEngage then merges the anonymous profile.
 * - `reset` logs the SDK out.
 * - The events named in `forward` go to the SDK instead of the relay. The promise of such a call resolves at once.
 *
 * It works without the SDK, too: forwarded events then go to the relay, after `wait` or when the page is hidden.
 * The console says once what failed. Call it on each page, after your own `use`. Don't call the SDK's `login` and
 * `logout` yourself. Returns a function that ends it. Throws a `RangeError` for an invalid option.
 */
export function joinWebEngage(tracker: JoinedTracker, options: JoinOptions = {}): () => void {
  return joinOn(tracker, options, pagePlatform);
}
