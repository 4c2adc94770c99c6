import type { AnyEvents, AttributesOf, EventsOf } from '../tracker/record/event-types.ts';
import type { ServerEvent, ServerUser } from './call.ts';
import { type Client, closeClient, createClient, flushClient, takeCall } from './client.ts';
import { resolveOptions, type ServerClientOptions, type Settings } from './options.ts';
import { type ServerPlatform, serverPlatform } from './platform.ts';

/** The calls of a server. No method needs `this`: `const { track } = client` works too. */
export type ServerClient<Events extends object = AnyEvents, Attributes extends object = object> = {
  /**
   * Records an event of a person.
   *
   * Resolves once the relay has stored it; with a journal, once it is on disk. Waits while the relay is busy or
   * can't be reached. Rejects with a `RecordError` if the record breaks a rule, and with a `RelayError` if the relay
   * does not take it for another reason. No other call is affected by a `RecordError`.
   *
   * Records of one person arrive in the order of the calls. Don't await each before the next: those made at the same
   * time are sent together.
   */
  readonly track: <Name extends keyof Events & string>(event: ServerEvent<Events, Name>) => Promise<void>;
  /** Describes a person. Resolves and rejects as `track` does. */
  readonly identify: (user: ServerUser<Attributes>) => Promise<void>;
  /**
   * Sends now. Resolves when each call made before is settled: stored by the relay, or rejected. Never rejects.
   * With a journal it waits for as long as the relay can't be reached.
   */
  readonly flush: () => Promise<void>;
  /**
   * Sends what is left, takes no more calls, and frees the journal. Never rejects.
   * After `timeoutMs` (by default 10000) it waits no longer: calls that are not settled reject, and the journal's
   * records stay on disk.
   */
  readonly close: (options?: { readonly timeoutMs?: number }) => Promise<void>;
};

/**
 * Creates a client with which a server sends to one relay. Make one for each process and keep it; in a Worker, one
 * for each request. Throws a `RangeError` for an invalid option.
 *
 * `Events` declares your events: `{ 'Order Shipped': { Total: number } }`. `Attributes` declares those of your users.
 */
export function createServerClient<
  Events extends EventsOf<Events> = AnyEvents,
  Attributes extends object & AttributesOf<Attributes> = object,
>(options: ServerClientOptions): ServerClient<Events, Attributes> {
  return startServerClient(resolveOptions(options), serverPlatform());
}

/** Starts a client on a given platform. It accepts any event: the declarations only narrow which calls compile. */
export function startServerClient<Events extends object = AnyEvents, Attributes extends object = object>(
  settings: Settings,
  platform: ServerPlatform,
): ServerClient<Events, Attributes> {
  const client: Client = createClient(platform, settings);
  return {
    track: (event) => takeCall(client, 'event', event),
    identify: (user) => takeCall(client, 'user', user),
    flush: () => flushClient(client),
    close: ({ timeoutMs = 10_000 } = {}) => {
      client.closed ??= closeClient(client, timeoutMs);
      return client.closed;
    },
  };
}
