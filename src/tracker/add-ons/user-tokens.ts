import { backoffMs } from '../../pacing/backoff.ts';
import { NOT_ALLOWED_BACKOFF } from '../delivery/send-rate.ts';
import { relayNow } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import { isIn } from '../page/visitor-state.ts';
import { ownFields } from '../record/own-fields.ts';

/** Gets a token that the site's own server has signed for this user: a JWT with the user's id as `cuid`. */
export type FetchToken = (userId: string) => string | Promise<string>;

/** The tokens of the users who are, or were, signed in on this page. */
export type UserTokens = {
  /**
   * The token at hand for a user. Where there is none, or it is about to end, and the user is signed in now, the site is
   * asked for one, one at a time; `changed` tells when it has come, or has not.
   */
  readonly of: (userId: string) => string | undefined;
  /** Takes what the relay makes of a user's token. After a refusal the site is asked again at once, but only once. */
  readonly answered: (userId: string, isTaken: boolean) => void;
  /** Resolves when the site has answered, if it has been asked. */
  readonly asked: () => Promise<void> | undefined;
  /** How long until the site is asked again for the user who is signed in; for ever, where none is. */
  readonly retryInMs: () => number;
  /** Forgets failures: the network is back. */
  readonly retry: () => void;
};

/** What a token is known to be good for. In memory alone: a shared computer must not keep a key to anybody's profile. */
type Kept = { readonly token: string; readonly gotAt: number; readonly lifeMs: number };

/** The one user for whom it last went wrong: the next user to sign in begins anew. */
type Trouble = {
  readonly userId: string;
  readonly failures: number;
  readonly since: number;
  readonly forMs: number;
};

// A page waits for no longer: the visitor has the next one to say.
const GIVEN_UP_MS = 10_000;

// From here on another token is asked for; the old one is good until that has come.
const RENEWED_AT = 0.9;

// A token that ends in a moment must do for one request, or the site would be asked without end. The relay's clock allows for it.
const LEAST_LIFE_MS = 10_000;

// As they were when the script was loaded: a page may replace them later.
const { parse } = JSON;
const { atob } = globalThis;

/** The text of base64url. Throws for anything else. */
function decode(text: string): string {
  const bytes = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return decodeURIComponent(
    bytes.replace(/[\s\S]/g, (byte) => `%${(byte.charCodeAt(0) + 256).toString(16).slice(1)}`),
  );
}

/**
 * How long a token is good, by what it says of itself. The relay verifies it; here that only saves a request in vain.
 * Throws for anything but a JWT of this user.
 */
function lifeOf(token: unknown, userId: string, now: number): number {
  if (typeof token !== 'string') throw new TypeError('a token must be a string');
  const {
    cuid,
    exp,
    iat = now / 1000,
  } = ownFields<Record<'cuid' | 'exp' | 'iat', unknown>>(parse(decode(token.split('.')[1] ?? '')));
  if (cuid !== userId) throw new TypeError('a token must have the user id as cuid');
  // By its own two times where it has them: the visitor's clock may be a year off. Without a sensible end it is good until
  // the relay says otherwise.
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
      // In a task of its own: it may throw, and it may be the page's last moment.
      Promise.resolve(userId).then(fetchToken).then(resolve, reject).finally(cancel);
    });
    asking = answer
      .then((token) => {
        kept.set(userId, { token, gotAt: mono(), lifeMs: lifeOf(token, userId, relayNow(page)) });
      })
      // What went wrong is the site's own to know, and there may be a token in it.
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
