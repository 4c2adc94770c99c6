import type { TrackerRecord } from '../../contract/record.ts';
import { backoffMs } from '../../pacing/backoff.ts';
import type { Tell } from '../page/events.ts';
import type { Entry } from '../store/record-store.ts';
import type { Time } from './flush-schedule.ts';
import { isOver, NOT_ALLOWED_BACKOFF } from './send-rate.ts';

/** Gets a token that the site's own server has signed for this user: a JWT with the user's id as `cuid`. */
export type IdentityToken = (userId: string) => string | Promise<string>;

/** What a token is known to be good for. In memory alone: a shared computer must not keep a key to anybody's profile. */
type Kept = { readonly token: string; readonly gotAt: number; readonly lifeMs: number };

export type IdentityTokens = {
  /** Whose token a record needs to leave with; undefined where it needs none. */
  readonly userOf: (record: TrackerRecord) => string | undefined;
  /**
   * The token at hand for a user. Where there is none, or it is about to end, and the user is signed in now, the site
   * is asked for one, one at a time; `changed` tells when it has come, or has not.
   */
  readonly of: (userId: string) => string | undefined;
  /** The same for a batch, which is of one user. */
  readonly ofBatch: (batch: readonly Entry[]) => string | undefined;
  /**
   * To be told what the relay makes of a batch's token, false where it had none: of one that is refused there is another
   * at once, but only once until one is taken.
   */
  readonly answered: (batch: readonly Entry[], isTaken: boolean) => boolean;
  /** Resolves when the site has answered, if it has been asked. */
  readonly asked: () => Promise<void> | undefined;
  /** How long until the site is asked again for the one who is signed in; for ever, where nobody is. */
  readonly retryInMs: () => number;
  /** What has failed may go well now: the network is back. */
  readonly retry: () => void;
};

// A page waits for no longer: the visitor has the next one to say.
const GIVEN_UP_MS = 10_000;

// From here on another one is asked for; the old one is good until that has come.
const RENEWED_AT = 0.9;

// One that ends in a moment must do for one request, or it would be asked for without end. The relay's clock allows for it.
const LEAST_LIFE_MS = 10_000;

/**
 * What a token says of itself. It is for the relay to verify, and here not believed but to save a request that is in vain.
 * Throws what is no JWT of this user's.
 */
function readToken(token: string, userId: string, now: number): Kept {
  const payload = atob((token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/'));
  const text = new TextDecoder().decode(Uint8Array.from(payload, (byte) => byte.charCodeAt(0)));
  const { cuid, exp, iat = now / 1000 } = JSON.parse(text);
  if (cuid !== userId) throw new TypeError('another cuid');
  // By its own two times where it has them, for the visitor's clock may be a year off. What has no sensible end is good
  // until the relay says otherwise.
  const lifeMs = (exp - iat) * 1000;
  return {
    token,
    gotAt: now,
    lifeMs: lifeMs > 0 ? Math.max(lifeMs, LEAST_LIFE_MS) : Number.POSITIVE_INFINITY,
  };
}

/**
 * @param identityToken without it no record needs a token
 * @param signedIn who is signed in now: nobody else is asked for
 * @param changed is called when the site has answered, or is to be asked again
 */
export function identityTokens(
  identityToken: IdentityToken | undefined,
  signedIn: () => string | undefined,
  changed: () => void,
  tell: Tell,
  { now, timer }: Time,
  random: () => number,
): IdentityTokens {
  const kept = new Map<string, Kept>();
  let asking: Promise<void> | undefined;
  // Of the one user that it last went wrong with: who signs in after another begins anew.
  let troubled: { userId: string; failures: number; since: number; forMs: number } | undefined;

  const userOf = ({ userId }: TrackerRecord) => identityToken && userId;
  const userOfBatch = (batch: readonly Entry[]) => batch.map(({ record }) => userOf(record)).find(Boolean);
  const troubleOf = (userId: string | undefined) =>
    troubled && troubled.userId === userId && !isOver(troubled, now()) ? troubled : undefined;

  function fail(userId: string): void {
    const failures = troubled?.userId === userId ? troubled.failures + 1 : 1;
    const forMs = backoffMs(failures, NOT_ALLOWED_BACKOFF, random());
    troubled = { userId, failures, since: now(), forMs };
    timer(changed, forMs);
    tell('retrying', { reason: 'no_token', inMs: forMs });
  }

  function ask(userId: string): void {
    if (asking || !identityToken || troubleOf(userId) || userId !== signedIn()) return;
    const answer = new Promise<string>((resolve, reject) => {
      const cancel = timer(reject as () => void, GIVEN_UP_MS);
      // In a task of its own: it may throw, and it may be the page's last moment.
      Promise.resolve(userId).then(identityToken).then(resolve, reject).finally(cancel);
    });
    asking = answer
      .then((token) => void kept.set(userId, readToken(token, userId, now())))
      // What went wrong is the site's own to know, and there may be a token in it.
      .catch(() => fail(userId))
      .then(() => {
        asking = undefined;
        changed();
      });
  }

  function of(userId: string): string | undefined {
    const { token, gotAt = 0, lifeMs = 0 } = kept.get(userId) ?? {};
    const lived = (now() - gotAt) / lifeMs;
    // Of one from the future nobody knows how old it is: the clock was set back.
    const isGood = lived >= 0 && lived < 1;
    if (!isGood || lived >= RENEWED_AT) ask(userId);
    return isGood ? token : undefined;
  }

  return {
    userOf,
    of,
    ofBatch: (batch) => {
      const userId = userOfBatch(batch);
      return userId && of(userId);
    },
    answered: (batch, isTaken) => {
      const userId = userOfBatch(batch);
      if (!userId) return false;
      if (isTaken) troubled = undefined;
      else {
        kept.delete(userId);
        if (troubled?.userId === userId) fail(userId);
        else troubled = { userId, failures: 0, since: 0, forMs: 0 };
      }
      return true;
    },
    asked: () => asking,
    retryInMs: () => {
      const trouble = troubleOf(signedIn());
      return trouble ? trouble.since + trouble.forMs - now() : Number.POSITIVE_INFINITY;
    },
    retry: () => {
      troubled = undefined;
    },
  };
}
