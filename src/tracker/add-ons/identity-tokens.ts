import type { Engine } from '../engine/engine.ts';
import { ageOf } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import type { Sendable } from '../page/sendable.ts';
import { isSetAside, resync } from '../page/unsettled.ts';
import type { Entry, StoredEntry } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import { COUNTS } from '../store/record-store.ts';
import { statsOf } from '../store/stats.ts';
import type { AddOn } from './add-on.ts';
import { type FetchToken, type UserTokens, userTokens } from './user-tokens.ts';

/**
 * Has each record of a user leave beside a token that the site's own server has made for that user. Throws a `RangeError`
 * for anything but a function.
 *
 * @param fetchToken is called when there are records of the user who is signed in, and no token is at hand; never twice at once
 */
export function identityTokens(fetchToken: FetchToken): AddOn {
  if (typeof fetchToken !== 'function')
    throw new RangeError(`identityTokens must be given a function, not ${fetchToken}`);
  // Of a page: it is asked for its records before its engine is.
  const scanners = new WeakMap<Page, Scanner>();
  return bare<AddOn>({
    sendable: (page, changed) => {
      const tokens = userTokens(fetchToken, page, () => changed(scanner.hasNewlySendable()));
      const scanner = createScanner(page, tokens);
      scanners.set(page, scanner);
      return sendableWithTokens(tokens, scanner);
    },
    engine: (engine, page) => {
      const scanner = scanners.get(page);
      return scanner ? waitForTokens(engine, page, scanner) : engine;
    },
  });
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

/** Scans the buffer for the oldest records that may be sent, and remembers which ones it has skipped. */
type Scanner = {
  readonly tokens: UserTokens;
  readonly peek: Sendable['peek'];
  readonly hasToken: (entry: Entry) => boolean;
  /** Whether an entry is older than it may become, or by so much more. */
  readonly isExpired: (entry: Entry, byMs?: number) => boolean;
  readonly hasNewlySendable: () => boolean;
  readonly isSkipped: (entry: Entry) => boolean;
  readonly oldestSkipped: () => StoredEntry | undefined;
};

function createScanner(page: Page, tokens: UserTokens): Scanner {
  const { records, settings } = page;
  // Up to this row all were skipped: ten thousand of them must not be read with each flush.
  let from = 0;
  let skippedUsers = new Set<string>();
  let oldestSkipped: StoredEntry | undefined;

  const isExpired: Scanner['isExpired'] = (entry, byMs = 0) => ageOf(page, entry) > settings.maxAgeMs + byMs;
  const hasToken = ({ userId }: Entry) => !userId || !!tokens.of(userId);
  const hasNewlySendable = () => [...skippedUsers].some(tokens.of);

  async function peek(limit: number): Promise<readonly StoredEntry[]> {
    if ((oldestSkipped && isExpired(oldestSkipped, REST_MS)) || hasNewlySendable()) from = 0;
    const first = from;
    const skippedNow = new Set(first ? skippedUsers : []);
    if (!first) oldestSkipped = undefined;
    // Before the look: nothing may be appended between it and what is made of it.
    const buffered = first ? statsOf(await records.get(COUNTS)).buffered : 0;
    const seen: StoredEntry[] = [];
    let hasFound = false;
    const wanted = (entry: StoredEntry) => {
      const { key, userId = '' } = entry;
      seen[seen.length] = entry;
      // Once skipped, theirs are for the whole look: a token that comes in the midst of it would let later ones overtake.
      const isSkipped = !isExpired(entry) && (skippedNow.has(userId) || !hasToken(entry));
      if (isSkipped) {
        skippedNow.add(userId);
        // For a page that is left while this goes on.
        skippedUsers.add(userId);
        if (!oldestSkipped || ageOf(page, entry) > ageOf(page, oldestSkipped)) oldestSkipped = entry;
        if (!hasFound) from = key;
      } else hasFound = true;
      return !isSkipped && !isSetAside(page, entry);
    };
    const oldest = await records.peek(limit, first, wanted);
    // Gone, or this is another database: what is known of the rows before it is no longer true.
    if (first && seen[0]?.key !== first) {
      from = 0;
      return peek(limit);
    }
    const isWhole = oldest.length < limit;
    resync(page, seen, isWhole);
    // Those that lie before the first row, too.
    page.skippedCount = Math.max(seen.length, isWhole ? buffered : 0) - oldest.length;
    skippedUsers = skippedNow;
    return oldest;
  }

  return {
    tokens,
    peek,
    hasToken,
    isExpired,
    hasNewlySendable,
    isSkipped: ({ userId = '' }) => skippedUsers.has(userId),
    oldestSkipped: () => oldestSkipped,
  };
}

/**
 * Tells the records that may leave from those whose token can't be had: of a person who has used this browser before, or
 * whom the site makes no token for. Those wait for that person, and hold back nobody else's.
 */
function sendableWithTokens(tokens: UserTokens, { peek, hasToken, isExpired, isSkipped }: Scanner): Sendable {
  return {
    peek,
    token: (batch) => {
      const userId = userOf(batch);
      if (!userId) return undefined;
      // One that has expired is dropped, and needs no token for it.
      return tokens.of(userId) ?? (batch.every((entry) => isExpired(entry)) ? undefined : null);
    },
    together: (entries, onUnload) =>
      takeSameUser(
        // A page that is left looks into no buffer: it must not overtake what lies there, skipped.
        onUnload ? entries.filter((entry) => hasToken(entry) && !isSkipped(entry)) : entries,
      ),
    answered: (batch, isTaken) => {
      const userId = userOf(batch);
      if (userId) tokens.answered(userId, isTaken);
      return !!userId;
    },
    retry: tokens.retry,
  };
}

/** Has a flush tell of records that it has skipped for want of a token. */
function waitForTokens(
  engine: Engine,
  page: Page,
  { tokens, oldestSkipped, hasNewlySendable }: Scanner,
): Engine {
  const { time } = page;
  return {
    ...engine,
    flush: async () => {
      const calledAt = time.mono();
      for (;;) {
        const result = await engine.flush();
        const oldest = oldestSkipped();
        if (!result.settled || !oldest || !engine.isHeard()) return result;
        const ageMs = ageOf(page, oldest);
        // Records made since then are not waited for. One from the future was made before a clock was set back.
        if (ageMs >= 0 && ageMs < time.mono() - calledAt) return result;
        await tokens.asked();
        if (!engine.isHeard()) return { settled: true };
        if (!hasNewlySendable())
          return { settled: false, reason: 'token_required', retryInMs: tokens.retryInMs() };
      }
    },
  };
}
