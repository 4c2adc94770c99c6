import type { Sendable } from '../delivery/sendable.ts';
import type { Entry, StoredEntry } from '../record/call.ts';
import { COUNTS } from '../store/record-store.ts';
import { statsOf } from '../store/stats.ts';
import type { AddOn, TokenPorts } from './add-on.ts';
import { type FetchToken, userTokens } from './user-tokens.ts';

/**
 * Has each record of a user leave beside a token that the site's own server has made for that user. Throws a `RangeError`
 * for anything but a function.
 *
 * @param fetchToken is called when there are records of the user who is signed in, and no token is at hand; never twice at once
 */
export function identityTokens(fetchToken: FetchToken): AddOn {
  if (typeof fetchToken !== 'function')
    throw new RangeError(`identityTokens must be given a function, not ${fetchToken}`);
  return { sendable: (ports) => sendableWithTokens(fetchToken, ports) };
}

// Skipped records are looked through again when some of them have expired; not for each record of a whole week.
const REST_MS = 60_000;

/** The user whose records these are; those of anonymous visitors go with any. */
function userOf(batch: readonly Entry[]): string | undefined {
  return batch.find(({ userId }) => userId)?.userId;
}

/** The first of these, up to the first of another user: a batch has one token. */
function takeSameUser<E extends Entry>(entries: readonly E[]): readonly E[] {
  const user = userOf(entries);
  const other = entries.findIndex(({ userId }) => userId && userId !== user);
  return other < 0 ? entries : entries.slice(0, other);
}

/** Whether an entry is older than it may become, or by so much more. */
type IsExpired = (entry: Entry, byMs?: number) => boolean;

/** Looks for the oldest records that may leave, and remembers what it has skipped. */
function lookout(
  { store, unsettled, setAside, clock }: TokenPorts,
  tokenOf: (userId: string) => string | undefined,
  isExpired: IsExpired,
) {
  // Up to this row all were skipped: ten thousand of them must not be read with each flush.
  let from = 0;
  let skippedUsers = new Set<string>();
  let oldestSkipped: StoredEntry | undefined;

  const hasToken = ({ userId }: Entry) => !userId || !!tokenOf(userId);
  const hasNewlySendable = () => [...skippedUsers].some(tokenOf);

  async function peek(limit: number): Promise<readonly StoredEntry[]> {
    if ((oldestSkipped && isExpired(oldestSkipped, REST_MS)) || hasNewlySendable()) from = 0;
    const first = from;
    const skippedNow = new Set(first ? skippedUsers : []);
    if (!first) oldestSkipped = undefined;
    // Before the look: nothing may be appended between it and what is made of it.
    const buffered = first ? statsOf(await store.get(COUNTS)).buffered : 0;
    const skipped: StoredEntry[] = [];
    let firstKey: number | undefined;
    let hasFound = false;
    const oldest = await store.peek(limit, first, (entry) => {
      const { key, userId = '' } = entry;
      firstKey ??= key;
      // Once skipped, theirs are for the whole look: a token that comes in the midst of it would let later ones overtake.
      const isSkipped = !isExpired(entry) && (skippedNow.has(userId) || !hasToken(entry));
      if (isSkipped) {
        skippedNow.add(userId);
        // For a page that is left while this goes on.
        skippedUsers.add(userId);
        if (!oldestSkipped || clock.ageOf(entry) > clock.ageOf(oldestSkipped)) oldestSkipped = entry;
        if (!hasFound) from = key;
      } else hasFound = true;
      if (!isSkipped && !setAside.has(entry)) return true;
      skipped[skipped.length] = entry;
      return false;
    });
    // Gone, or this is another database: what is known of the rows before it is no longer true.
    if (first && firstKey !== first) {
      from = 0;
      return peek(limit);
    }
    const isWhole = oldest.length < limit;
    const unread = isWhole ? Math.max(0, buffered - oldest.length - skipped.length) : 0;
    unsettled.resync(oldest, isWhole, skipped, unread);
    skippedUsers = skippedNow;
    return oldest;
  }

  return {
    peek,
    hasToken,
    hasNewlySendable,
    isSkipped: ({ userId = '' }: Entry) => skippedUsers.has(userId),
    oldestSkipped: () => oldestSkipped,
  };
}

/**
 * Tells the records that may leave from those whose token can't be had: of a person who has used this browser before, or
 * whom the site makes no token for. Those wait for that person, and hold back nobody else's.
 */
function sendableWithTokens(fetchToken: FetchToken, ports: TokenPorts): Sendable {
  const { clock, time, maxAgeMs } = ports;
  const tokens = userTokens(fetchToken, ports, () => ports.changed(hasNewlySendable()));
  const isExpired: IsExpired = (entry, byMs = 0) => clock.ageOf(entry) > maxAgeMs + byMs;
  const { peek, hasToken, hasNewlySendable, isSkipped, oldestSkipped } = lookout(ports, tokens.of, isExpired);

  return {
    hasTokens: true,
    peek,
    // One that has expired is dropped, and needs no token for it.
    maySend: (entry) => hasToken(entry) || isExpired(entry),
    together: (entries, onUnload) =>
      takeSameUser(
        // A page that is left looks into no buffer: it must not overtake what lies there, skipped.
        onUnload ? entries.filter((entry) => hasToken(entry) && !isSkipped(entry)) : entries,
      ),
    token: (batch) => {
      const userId = userOf(batch);
      return userId && tokens.of(userId);
    },
    answered: (batch, isTaken) => {
      const userId = userOf(batch);
      if (userId) tokens.answered(userId, isTaken);
      return !!userId;
    },
    skippedForMs: async (dueBefore) => {
      const oldest = oldestSkipped();
      const ageMs = oldest ? clock.ageOf(oldest) : -1;
      // Records made since then are not waited for. One from the future was made before a clock was set back.
      if (!oldest || (ageMs >= 0 && ageMs < time.mono() - dueBefore)) return undefined;
      await tokens.asked();
      return hasNewlySendable() ? 'again' : tokens.retryInMs();
    },
    retry: tokens.retry,
  };
}
