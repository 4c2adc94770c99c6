import type { AddOn } from '../tracker/add-ons/add-on.ts';
import { type AnonymousIdSource, anonymousId as supplied } from '../tracker/add-ons/supplied-id.ts';
import { sdkAnonymousId } from './sdk.ts';

export type { AddOn } from '../tracker/add-ons/add-on.ts';
export type { AnonymousIdSource } from '../tracker/add-ons/supplied-id.ts';
export { type JoinedTracker, type JoinOptions, joinWebEngage } from './join.ts';
export type { LoginToken } from './logins.ts';

/**
 * Gives anonymous records the id that WebEngage's SDK has for this browser, or that of another source.
 * Throws a `RangeError` for anything but a function.
 *
 * In a new browser, and after `reset()`, calls wait for the id, and survive the page. A page that is left before leaves
 * them to the next one. After 5 s without an id they get a random id of the tracker, and `on('unmerged')` reports it.
 * No id is given to a second visitor.
 *
 * @param source is called again and again; it returns nothing while the id is unknown
 */
export function anonymousId(source: AnonymousIdSource = sdkAnonymousId()): AddOn {
  return supplied(source);
}
