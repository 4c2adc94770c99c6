/** The SDK's user, and the logins and logouts that it has yet to make. */
export type LoginState = {
  /** The user whom the SDK has logged in. Missing if it is logged out. */
  readonly user?: string | undefined;
  /**
   * The users to log in, in order; an empty text is a logout. The login of a user who has gone since is made too,
   * because it merges that user's earlier anonymous records.
   */
  readonly todo: readonly string[];
};

export const LOGOUT = '';

export const NOTHING: LoginState = { todo: [] };

// If the SDK never comes, only the last user counts.
const MAX_TODO = 9;

/** Text under a key, for all pages and tabs of the site. */
export type LoginStorage = {
  readonly get: () => string | null | undefined;
  readonly set: (text: string) => void;
};

/** One state for all pages and tabs, or in the page's memory if there is no storage. */
export type StateStore = {
  readonly read: () => LoginState;
  readonly write: (next: LoginState) => void;
};

export function stateStore({ get, set }: LoginStorage): StateStore {
  let own = NOTHING;
  return {
    read: () => {
      // The storage may be blocked, and anything may be stored there.
      try {
        const { user, todo } = JSON.parse(get() ?? '');
        own = { user, todo: [...todo] };
      } catch {
        // Then this page's own state counts.
      }
      return own;
    },
    write: (next) => {
      own = next;
      try {
        set(JSON.stringify(next));
      } catch {
        // Then it counts for this page alone.
      }
    },
  };
}

/** The SDK's user once all logins and logouts are made, or `LOGOUT`. */
export function lastUser({ user = LOGOUT, todo }: LoginState): string {
  return todo.at(-1) ?? user;
}

/** After an `identify`. The same state if it says nothing new. */
export function signedIn(state: LoginState, userId: string): LoginState {
  const { user, todo } = state;
  const last = lastUser(state);
  if (last === userId) return state;
  // Another person was signed in.
  const next = [...todo, ...(last ? [LOGOUT] : []), userId];
  return { user, todo: next.length > MAX_TODO ? [LOGOUT, userId] : next };
}

/** After a `reset`. */
export function signedOut({ user, todo }: LoginState): LoginState {
  return { user, todo: todo.at(-1) === LOGOUT ? todo : [...todo, LOGOUT] };
}

/** After the SDK has made the first login or logout. */
export function told({ todo: [first, ...todo] }: LoginState): LoginState {
  return first ? { user: first, todo } : { todo };
}
