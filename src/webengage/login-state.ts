/** What the SDK has been told, and what it is still to be told. */
export type LoginState = {
  /** The user whom the SDK has logged in. */
  readonly user?: string | undefined;
  /**
   * The users whom the SDK is to log in, in order; an empty text is a logout. None is left out: the login of a user who
   * has gone since still merges what that user did before it.
   */
  readonly todo: readonly string[];
};

export const LOGOUT = '';

export const NOTHING: LoginState = { todo: [] };

// Where the SDK never comes, only the last user counts.
const MAX_TODO = 9;

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
  let own = NOTHING;
  return {
    read: () => {
      // The storage may be blocked, and anything may be stored there.
      try {
        const { user, todo } = JSON.parse(get() ?? '');
        own = { user, todo: [...todo] };
      } catch {
        // Then it is what this page knows.
      }
      return own;
    },
    write: (next) => {
      own = next;
      try {
        set(JSON.stringify(next));
      } catch {
        // It holds for this page.
      }
    },
  };
}

/** Who the SDK's user will be, or `LOGOUT`. */
export function lastUser({ user = LOGOUT, todo }: LoginState): string {
  return todo.at(-1) ?? user;
}

/** After an `identify`. The same state if it says nothing new. */
export function signedIn(state: LoginState, userId: string): LoginState {
  const { user, todo } = state;
  const last = lastUser(state);
  if (last === userId) return state;
  // The one who was signed in before is another person.
  const next = [...todo, ...(last ? [LOGOUT] : []), userId];
  return { user, todo: next.length > MAX_TODO ? [LOGOUT, userId] : next };
}

/** After a `reset`. */
export function signedOut({ user, todo }: LoginState): LoginState {
  return { user, todo: todo.at(-1) === LOGOUT ? todo : [...todo, LOGOUT] };
}

/** After the SDK has been told the first of what was to be done. */
export function told({ todo: [first, ...todo] }: LoginState): LoginState {
  return first ? { user: first, todo } : { todo };
}
