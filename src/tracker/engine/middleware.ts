import { createRegistry } from '../page/events.ts';
import { ownFields } from '../record/own-fields.ts';
import type { Profile } from '../record/profile.ts';

/** Of an event, by name: whatever the page has given it. */
export type Properties = { readonly [property: string]: unknown };

/**
 * An `identify` or a `track` as the page has called it, before anything of it is checked. `page`: the address at which it
 * was called, though the page has moved on since; none in a worker. An `identify` of the anonymous visitor has no `userId`.
 */
export type TrackerCall = (
  | { readonly kind: 'event'; readonly eventName: string; readonly eventData?: Properties | undefined }
  | { readonly kind: 'user'; readonly userId?: string | undefined; readonly profile?: Profile | undefined }
) & { readonly page?: string | undefined };

/**
 * Looks at a call before a record is made of it. Answers with the call to make in its place, with nothing to leave it as it
 * came, or with null to refuse it. Not by a promise: by then the record would be made.
 * What it is given is the page's own: to change something, answer with a copy.
 */
// Not undefined for a refusal: middleware that forgets to answer would refuse every call, in silence.
export type Middleware = (call: TrackerCall) => TrackerCall | null | undefined;

export type MiddlewareChain = {
  /** Answers with what ends it. */
  readonly use: (middleware: Middleware) => () => void;
  /** The call to make, or null. */
  readonly run: (call: TrackerCall) => TrackerCall | null;
};

/**
 * Takes calls through middleware, in the order in which it was added. One that fails, or answers with anything but a call,
 * changes nothing.
 *
 * @param report is given what middleware throws
 */
export function createMiddleware(report: (error: unknown) => void): MiddlewareChain {
  const all = createRegistry<Middleware>();

  return {
    // In a function of its own: one that is used twice ends once.
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
            throw new TypeError('middleware must answer with a call, null or nothing');
          // A call made anew need not know of the page.
          current = { page: call.page, ...answer };
        } catch (error) {
          report(error);
        }
      }
      return current;
    },
  };
}
