import { createRegistry } from '../page/events.ts';
import { ownFields } from '../record/own-fields.ts';
import type { Profile } from '../record/profile.ts';

/** The properties of an event by name, as the page has passed them. */
export type Properties = { readonly [property: string]: unknown };

/**
 * An `identify` or `track` call, before any of it is checked.
 *
 * `page` is the address at the time of the call, even if the page has moved on since. It is undefined in a
 * worker. An `identify` of the anonymous visitor has no `userId`.
 */
export type TrackerCall = (
  | { readonly kind: 'event'; readonly eventName: string; readonly eventData?: Properties | undefined }
  | { readonly kind: 'user'; readonly userId?: string | undefined; readonly profile?: Profile | undefined }
) & { readonly page?: string | undefined };

/**
 * Looks at a call before a record is made of it.
 *
 * Return another call to replace it, nothing to leave it unchanged, or null to refuse it. You can't return a
 * promise: the record would be made before it resolves. The call holds the page's own objects: to change
 * something, return a copy.
 */
// Not undefined for a refusal: middleware that forgets to return would silently refuse every call.
export type Middleware = (call: TrackerCall) => TrackerCall | null | undefined;

export type MiddlewareChain = {
  /** Returns a function that removes the middleware. */
  readonly use: (middleware: Middleware) => () => void;
  /** The call to make, or null if it is refused. */
  readonly run: (call: TrackerCall) => TrackerCall | null;
};

/**
 * Runs calls through middleware, in the order in which it was added.
 * Middleware that fails, or returns anything but a call or null, changes nothing.
 *
 * @param report is given what middleware throws
 */
export function createMiddleware(report: (error: unknown) => void): MiddlewareChain {
  const all = createRegistry<Middleware>();

  return {
    // Wrapped in a function of its own: middleware that is added twice is removed one at a time.
    use: (middleware) => all.add((call) => middleware(call)),
    run(call) {
      let current = call;
      for (const middleware of all.all()) {
        try {
          const answer = middleware(current);
          if (answer === null) return null;
          if (!answer) continue;
          const { kind, eventName } = ownFields<{ kind: unknown; eventName?: unknown }>(answer);
          if (kind !== 'user' && !(kind === 'event' && eventName))
            throw new TypeError('middleware must return a call, null or nothing');
          // A call that is built from scratch may lack the page.
          current = { page: call.page, ...answer };
        } catch (error) {
          report(error);
        }
      }
      return current;
    },
  };
}
