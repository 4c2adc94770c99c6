import { backoffMs } from '../../pacing/backoff.ts';
import { NOT_ALLOWED_BACKOFF } from '../delivery/send-rate.ts';
import { relayNow } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import { isIn } from '../page/visitor-state.ts';
import { ownFields } from '../record/own-fields.ts';

/** Returns a token that your own server has signed for this user: a JWT with the user id as `cuid`. */
export type FetchToken = (userId: string) => string | Promise<string>;

/** The tokens of users who are or were signed in on this page. */
export type UserTokens = {
  /**
   * The token at hand for a user, if there is one.
   * If it is missing or about to expire, the site is asked for another, but only for the user who is signed
   * in now. One token is asked for at a time. `changed` is called when the site has answered or failed.
   */
  readonly of: (userId: string) => string | undefined;
  /**
   * Records whether the relay accepted a user's token.
   * After a refusal the site is asked again at once, but only once.
   */
  readonly answered: (userId: string, isTaken: boolean) => void;
  /** Resolves when the site has answered. Undefined if it is not being asked. */
  readonly asked: () => Promise<void> | undefined;
  /** How long until the site is asked again for the signed-in user. `Infinity` if no retry is due. */
  readonly retryInMs: () => number;
  /** Forgets failures, because the network is back. */
  readonly retry: () => void;
};

/**
 * A token and its lifetime. Kept in memory only: a shared computer must not store a key to anyone's profile.
 */
type Kept = { readonly token: string; readonly gotAt: number; readonly lifeMs: number };

/** The last failure, of one user only: the next user to sign in starts afresh. */
type Trouble = {
  readonly userId: string;
  readonly failures: number;
  readonly since: number;
  readonly forMs: number;
};

// How long the page waits for the site. Only one user is asked for at a time, so a hung request would
// block the next one.
const GIVEN_UP_MS = 10_000;

// The share of its lifetime after which a token is renewed. The old one is used until the new one arrives.
const RENEWED_AT = 0.9;

// A token that is about to expire must last for one request, or the site would be asked endlessly. The relay
// accepts it: it tolerates 60 s.
const LEAST_LIFE_MS = 10_000;

// Saved when the script loads: a page may replace them later.
const { parse } = JSON;
const { atob } = globalThis;

/** Decodes base64url to text. Throws for anything else. */
function decode(text: string): string {
  const bytes = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return decodeURIComponent(
    bytes.replace(/[\s\S]/g, (byte) => `%${(byte.charCodeAt(0) + 256).toString(16).slice(1)}`),
  );
}

/**
 * The lifetime of a token in milliseconds, according to the token.
 * The relay verifies the token; this check only saves a useless request. Throws for anything but
 * a JWT of this user.
 */
function lifeOf(token: unknown, userId: string, now: number): number {
  if (typeof token !== 'string') throw new TypeError('a token must be a string');
  const {
    cuid,
    exp,
    iat = now / 1000,
  } = ownFields<Record<'cuid' | 'exp' | 'iat', unknown>>(parse(decode(token.split('.')[1] ?? '')));
  if (cuid !== userId) throw new TypeError('a token must have the user id as cuid');
  // By the token's own two times if it has both: the visitor's clock may be a year off. Without a usable end
  // the token is good until the relay refuses it.
  const lifeMs = (Number(exp) - Number(iat)) * 1000;
  return lifeMs > 0 ? Math.max(lifeMs, LEAST_LIFE_MS) : Number.POSITIVE_INFINITY;
}

export function userTokens(fetchToken: FetchToken, page: Page, changed: () => void): UserTokens {
  const {
    emit,
    time: { mono, timer },
    chance: { random },
  } = page;
  const signedIn = () => (isIn(page) ? page.visitor.userId : undefined);
  const kept = new Map<string, Kept>();
  let asking: Promise<void> | undefined;
  let trouble: Trouble | undefined;

  const leftMs = ({ since, forMs }: Trouble) => since + forMs - mono();
  const troubleOf = (userId: string | undefined) =>
    trouble && trouble.userId === userId && leftMs(trouble) > 0 ? trouble : undefined;

  function fail(userId: string): void {
    const failures = trouble?.userId === userId ? trouble.failures + 1 : 1;
    const forMs = backoffMs(failures, NOT_ALLOWED_BACKOFF, random());
    trouble = { userId, failures, since: mono(), forMs };
    timer(changed, forMs);
    emit('retrying', { reason: 'token_required', inMs: forMs });
  }

  function ask(userId: string): void {
    if (asking || troubleOf(userId) || userId !== signedIn()) return;
    const answer = new Promise<string>((resolve, reject) => {
      const cancel = timer(() => reject(new Error('no answer')), GIVEN_UP_MS);
      // In a microtask: the function may throw, and this may be the page's last moment.
      Promise.resolve(userId).then(fetchToken).then(resolve, reject).finally(cancel);
    });
    asking = answer
      .then((token) => {
        kept.set(userId, { token, gotAt: mono(), lifeMs: lifeOf(token, userId, relayNow(page)) });
      })
      // The error is not reported: it is the site's own, and may contain a token.
      .catch(() => fail(userId))
      .then(() => {
        asking = undefined;
        changed();
      });
  }

  return {
    of: (userId) => {
      const { token, gotAt = 0, lifeMs = 0 } = kept.get(userId) ?? {};
      const lived = (mono() - gotAt) / lifeMs;
      const isGood = lived < 1;
      if (!isGood || lived >= RENEWED_AT) ask(userId);
      return isGood ? token : undefined;
    },
    answered: (userId, isTaken) => {
      if (isTaken) trouble = undefined;
      else {
        kept.delete(userId);
        if (trouble?.userId === userId) fail(userId);
        else trouble = { userId, failures: 0, since: 0, forMs: 0 };
      }
    },
    asked: () => asking,
    retryInMs: () => {
      const current = troubleOf(signedIn());
      return current ? leftMs(current) : Number.POSITIVE_INFINITY;
    },
    retry: () => {
      trouble = undefined;
    },
  };
}
