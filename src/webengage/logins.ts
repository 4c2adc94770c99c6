import type { Tracker } from '../tracker/tracker.ts';
import { LOGOUT, NOTHING, type StateStore, signedIn, signedOut, told } from './login-state.ts';
import type { Sdk } from './sdk.ts';

/** Gets the identity token with which the SDK logs a user in. */
export type LoginToken = (userId: string) => string | undefined | Promise<string | undefined>;

export type LoginPorts = {
  readonly tracker: Pick<Tracker, 'flush' | 'stats'>;
  readonly state: StateStore;
  readonly sdk: () => Sdk | undefined;
  /** Resolves once the SDK is ready. */
  readonly ready: Promise<void>;
  readonly now: () => number;
  readonly timer: (run: () => void, afterMs: number) => unknown;
  /** When the relay last accepted records of this page. */
  readonly deliveredAt: () => number;
  /** Called when the visitor is known to have consented. */
  readonly allowed: () => void;
  /** Called after each login and logout of the SDK. */
  readonly changed: () => void;
  readonly report: (trouble: string) => void;
};

export type Logins = {
  readonly identify: (userId: string) => void;
  readonly reset: () => void;
  /** Continues what this page or an earlier one has begun. */
  readonly resume: () => void;
};

// How long the relay usually takes to pass on accepted records: it collects for a second, and then calls.
const ARRIVAL_MS = 3_000;

// A page that asks for consent waits for a person.
export const CONSENT_LOOK_MS = 1_000;

// The site's server may not answer.
const TOKEN_MS = 10_000;

// A timer can't be longer.
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** No message: errors of a login are not reported, because they may contain a token. */
function fail(): never {
  throw new Error();
}

/** Tells the SDK who is signed in, each change once and in order. */
export function createLogins(waitMs: number, login: LoginToken | undefined, ports: LoginPorts): Logins {
  const { tracker, state, sdk, now, timer, report } = ports;
  let isRunning = false;

  const pause = (forMs: number) =>
    new Promise<undefined>((resolve) => {
      timer(() => resolve(undefined), Math.min(forMs, MAX_TIMER_MS));
    });

  /** Logs the SDK out if that comes next. Returns true if it comes next but is not possible yet. */
  function logOut(): boolean {
    const current = state.read();
    if (current.todo[0] !== LOGOUT) return false;
    const found = sdk();
    if (!found) return true;
    try {
      found.user.logout();
    } catch {
      report('webengage.user.logout failed');
      return true;
    }
    state.write(told(current));
    ports.changed();
    return logOut();
  }

  /** Waits until the anonymous records have arrived, or gives up in time. Returns false if no one may be logged in. */
  async function settle(): Promise<boolean> {
    let until = now() + waitMs;
    for (;;) {
      const result = await Promise.race([tracker.flush(), pause(until - now())]);
      if (result && !result.settled && result.reason === 'no_consent') {
        await pause(CONSENT_LOOK_MS);
        until = now() + waitMs;
        continue;
      }
      ports.allowed();
      // Those without a token are the user's: anonymous records need none.
      if (result && (result.settled || result.reason === 'token_required')) break;
      if (now() >= until) {
        report(`anonymous records were not sent in ${waitMs} ms, and the SDK logs in before them`);
        break;
      }
      await pause(Math.min(result?.retryInMs ?? 0, until - now()));
    }
    await pause(Math.min(ports.deliveredAt() + ARRIVAL_MS, until) - now());
    // Nothing is counted for a visitor who has opted out, perhaps on a page without this script.
    const { tracked } = await tracker.stats();
    if (tracked === 0) state.write(NOTHING);
    return tracked > 0;
  }

  /** Logs in the user who is next. */
  async function logIn(userId: string): Promise<void> {
    // After the page's own call has been made.
    await undefined;
    if (!(await settle())) return;
    await ports.ready;
    const token = login && (await Promise.race([login(userId), pause(TOKEN_MS).then(fail)]));
    // No pause from here on: another tab may log in the same user.
    const current = state.read();
    if (current.todo[0] !== userId) return;
    const { user } = sdk() ?? fail();
    if (token === undefined) user.login(userId);
    else user.login(userId, token);
    state.write(told(current));
    ports.changed();
  }

  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    for (;;) {
      if (logOut()) break;
      const [userId] = state.read().todo;
      if (userId === undefined) break;
      try {
        await logIn(userId);
      } catch {
        report('webengage.user.login failed, or its identity token');
        const { user, todo } = state.read();
        // The next page, or the next `identify`, tries again, unless the user has gone since.
        if (todo.length < 2) break;
        if (todo[0] === userId) state.write({ user, todo: todo.slice(1) });
      }
    }
    isRunning = false;
  }

  return {
    identify: (userId) => {
      state.write(signedIn(state.read(), userId));
      void run();
    },
    reset: () => {
      state.write(signedOut(state.read()));
      void run();
    },
    resume: () => {
      logOut();
      void run();
    },
  };
}
