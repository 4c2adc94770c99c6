/** What the SDK has been told, and what it is still to be told. */
export type LoginState = {
  /** The user whom the SDK has logged in. */
  readonly user?: string | undefined;
  /** Whether the SDK is to log out first. */
  readonly out?: boolean | undefined;
  /** The user whom the SDK is to log in. */
  readonly next?: string | undefined;
};

/** Text under a key, for all pages and tabs of the site. */
export type LoginStorage = {
  readonly get: () => string | null | undefined;
  readonly set: (text: string) => void;
};

/** The state, one for all pages and tabs. In the page's memory if there is no storage. */
export type StateStore = {
  readonly read: () => LoginState;
  readonly write: (next: LoginState) => void;
};

export function stateStore({ get, set }: LoginStorage): StateStore {
  let own: LoginState = {};
  let hasStorage = true;
  return {
    read: () => {
      // The storage may be blocked, and anything may be stored there.
      try {
        const text = hasStorage && get();
        if (text) own = { ...JSON.parse(text) };
      } catch {
        hasStorage = false;
      }
      return own;
    },
    write: (next) => {
      own = next;
      try {
        set(JSON.stringify(next));
      } catch {
        hasStorage = false;
      }
    },
  };
}

/** After an `identify`. The same state if it says nothing new. */
export function signedIn(state: LoginState, userId: string): LoginState {
  const { user, out, next } = state;
  if (next === undefined && user === userId && !out) return state;
  if (next === userId) return state;
  // The one who was logged in before is another person.
  return { user, out: out || (user !== undefined && user !== userId) || undefined, next: userId };
}

/** After a `reset`. */
export function signedOut({ user }: LoginState): LoginState {
  return { user, out: true };
}

/** After the SDK has logged out. */
export function loggedOut({ next }: LoginState): LoginState {
  return { next };
}
