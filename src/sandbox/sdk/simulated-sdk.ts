import type { SdkCall } from './sdk-call.ts';
import type { SdkSwitches } from './sdk-switches.ts';

/** What the SDK keeps in a browser. */
type SdkMemory = {
  /** The anonymous id: the cookie `we_luid`. */
  readonly luid: () => string | undefined;
  readonly setLuid: (luid: string) => void;
  readonly user: () => string | undefined;
  readonly setUser: (userId: string | undefined) => void;
};

export type SdkPorts = {
  readonly memory: SdkMemory;
  readonly newId: () => string;
  readonly send: (call: SdkCall) => void;
  readonly switches: Pick<SdkSwitches, 'idAfterLogout' | 'idAfterLogin'>;
};

/** WebEngage's web SDK as far as its documents describe it, and as far as the relay's pages use it. */
export type SimulatedSdk = {
  onReady(ready: () => void): void;
  track(eventName: string, eventData?: Record<string, unknown>): void;
  readonly user: {
    login(userId: string, token?: string): void;
    logout(): void;
    setAttribute(name: string, value: unknown): void;
    getAnonymousId(): string | undefined;
  };
};

/** A call that the SDK's stub has queued: its path, such as `user.login`, and its arguments. */
export type QueuedSdkCall = readonly [path: string, args: ArrayLike<unknown>];

/** Starts the SDK in a browser: from now on it is ready. Makes the calls that its stub has queued. */
export function simulateSdk(
  { memory, newId, send, switches }: SdkPorts,
  queue: readonly QueuedSdkCall[] = [],
): SimulatedSdk {
  const luid = () => {
    const kept = memory.luid();
    if (kept !== undefined) return kept;
    const made = newId();
    memory.setLuid(made);
    return made;
  };
  luid();

  const sdk: SimulatedSdk = {
    onReady: (ready) => ready(),
    track: (eventName, eventData) => {
      const userId = memory.user();
      send({
        call: 'track',
        luid: luid(),
        eventName,
        ...(userId && { userId }),
        ...(eventData && { eventData }),
      });
    },
    user: {
      login: (userId) => {
        memory.setUser(userId);
        send({ call: 'login', luid: luid(), userId });
      },
      logout: () => {
        memory.setUser(undefined);
        if (switches.idAfterLogout === 'new') memory.setLuid(newId());
      },
      setAttribute: () => {},
      getAnonymousId: () =>
        memory.user() !== undefined && switches.idAfterLogin === 'silent' ? undefined : luid(),
    },
  };
  for (const [path, args] of queue) {
    const [first = '', second] = path.split('.');
    const object: unknown = second === undefined ? sdk : (Reflect.get(sdk, first) ?? {});
    const method: unknown = Reflect.get(object as object, second ?? first);
    if (typeof method === 'function') method(...Array.from(args));
  }
  return sdk;
}
