import type { AddOn } from './add-ons/add-on.ts';
import { checks } from './add-ons/checks.ts';
import { consent } from './add-ons/consent.ts';
import { identityTokens } from './add-ons/identity-tokens.ts';
import { type AnonymousIdSource, anonymousId, cookieNamed } from './add-ons/supplied-id.ts';
import type { FetchToken } from './add-ons/user-tokens.ts';
import { ownFields } from './record/own-fields.ts';

/**
 * The settings that `tracker.full.js` has in addition to those of `tracker.js`.
 * A script tag or a stub gives them, so they can have any value.
 */
export type FullOptions = {
  /** `pending`, `denied` or `granted`. */
  readonly consent?: unknown;
  readonly respectGpc?: unknown;
  /** Gets identity tokens: a function, or the name of a global one that the page may define later. */
  readonly identityToken?: unknown;
  readonly strict?: unknown;
  /** Returns the id of the anonymous visitor. */
  readonly anonymousId?: unknown;
  /** The name of a cookie that holds it. */
  readonly anonymousIdCookie?: unknown;
};

/** The global function of this name, looked up at each call. */
function namedFunction(name: string): FetchToken {
  return (userId) => {
    const fetchToken: unknown = Object.hasOwn(globalThis, name) ? Reflect.get(globalThis, name) : undefined;
    if (typeof fetchToken !== 'function') throw new TypeError(`${name} is not a global function`);
    return fetchToken(userId);
  };
}

/**
 * The add-ons of `tracker.full.js` for these settings.
 * Throws a `RangeError` that names an invalid setting: a misspelt consent never means consent.
 */
export function fullAddOns(options: FullOptions): readonly AddOn[] {
  const {
    consent: initial = 'granted',
    respectGpc = false,
    identityToken,
    strict = false,
    anonymousIdCookie: cookie,
    anonymousId: source = cookie && cookieNamed(`${cookie}`),
  } = ownFields(options);
  // Each add-on refuses a value of the wrong type.
  const addOns = [checks({ strict } as object), consent({ initial, respectGpc } as object)];
  if (source) addOns[addOns.length] = anonymousId(source as AnonymousIdSource);
  if (identityToken === undefined) return addOns;
  const fetchToken =
    identityToken && typeof identityToken === 'string' ? namedFunction(identityToken) : identityToken;
  if (typeof fetchToken !== 'function')
    throw new RangeError(`identityToken must be a function or the name of one, not ${identityToken}`);
  return [...addOns, identityTokens(fetchToken as FetchToken)];
}
