import type { Engine } from '../engine/engine.ts';
import { ageOf, madeAtMono } from '../page/clock.ts';
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
 * Sends each user's records with a token that your own server has made for that user.
 * Throws a `RangeError` for anything but a function.
 *
 * @param fetchToken is called when the signed-in user's records need a token, or a new one;
 * never twice at once
 */
export function identityTokens(fetchToken: FetchToken): AddOn {
  if (typeof fetchToken !== 'function')
    throw new RangeError(`identityTokens must be given a function, not ${fetchToken}`);
  // One for each page. The tracker calls `sendable` before `engine`.
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

// The buffer is scanned again once the oldest skipped record has been expired for this long. Otherwise each
// record of a whole week could cost a scan.
const REST_MS = 60_000;

/** The user whose records these are. Records of anonymous visitors go with any user's. */
function userOf(batch: readonly Entry[]): string | undefined {
  return batch.find(({ userId }) => userId)?.userId;
}

/** The entries before the first one of another user: a batch has one token. */
function takeSameUser<E extends Entry>(entries: readonly E[]): readonly E[] {
  const user = userOf(entries);
  const other = entries.findIndex(({ userId }) => userId && userId !== user);
  return other < 0 ? entries : entries.slice(0, other);
}

/** Scans the buffer for the oldest sendable records, and remembers which ones it has skipped. */
type Scanner = {
  readonly tokens: UserTokens;
  readonly peek: Sendable['peek'];
  readonly hasToken: (entry: Entry) => boolean;
  /** Whether an entry is older than `maxAgeMs`, by more than `byMs`. */
  readonly isExpired: (entry: Entry, byMs?: number) => boolean;
  readonly hasNewlySendable: () => boolean;
  readonly isSkipped: (entry: Entry) => boolean;
  readonly oldestSkipped: () => StoredEntry | undefined;
};

function createScanner(page: Page, tokens: UserTokens): Scanner {
  const { records, settings } = page;
  // All records before this row were skipped. There may be ten thousand: they must not be read by each flush.
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
    // Read before the scan: a record that is appended in between must not count as skipped.
    const buffered = first ? statsOf(await records.get(COUNTS)).buffered : 0;
    const seen: StoredEntry[] = [];
    let hasFound = false;
    const wanted = (entry: StoredEntry) => {
      const { key, userId = '' } = entry;
      seen[seen.length] = entry;
      // A user who was skipped once stays skipped for the whole scan: if a token arrived in the middle, later
      // records would overtake.
      const isSkipped = !isExpired(entry) && (skippedNow.has(userId) || !hasToken(entry));
      if (isSkipped) {
        skippedNow.add(userId);
        // For an unload during this scan.
        skippedUsers.add(userId);
        if (!oldestSkipped || ageOf(page, entry) > ageOf(page, oldestSkipped)) oldestSkipped = entry;
        if (!hasFound) from = key;
      } else hasFound = true;
      return !isSkipped && !isSetAside(page, entry);
    };
    const oldest = await records.peek(limit, first, wanted);
    // The row is gone, or this is another database: what was known about the rows before it no longer holds.
    if (first && seen[0]?.key !== first) {
      from = 0;
      return peek(limit);
    }
    const isWhole = oldest.length < limit;
    resync(page, seen, isWhole);
    // Includes the skipped records before the first row.
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
 * Separates records that may be sent from those without a token.
 * A token can be missing for a person who has used this browser before, or for whom the site makes none.
 * Their records wait for that person, and hold back no one else's.
 */
function sendableWithTokens(tokens: UserTokens, { peek, hasToken, isExpired, isSkipped }: Scanner): Sendable {
  return {
    peek,
    token: (batch) => {
      const userId = userOf(batch);
      if (!userId) return undefined;
      // An expired record is dropped, so it needs no token.
      return tokens.of(userId) ?? (batch.every((entry) => isExpired(entry)) ? undefined : null);
    },
    together: (entries, onUnload) =>
      takeSameUser(
        // An unload does not read the buffer, so it must not overtake the skipped records there.
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

/** Makes a flush report the records that it skipped for lack of a token. */
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
        const oldestAt = madeAtMono(page, oldest);
        // Records made since the call are not waited for. One of the future is older: the clock was set back.
        if (oldestAt > calledAt && oldestAt <= time.mono()) return result;
        await tokens.asked();
        if (!engine.isHeard()) return { settled: true };
        if (!hasNewlySendable())
          return { settled: false, reason: 'token_required', retryInMs: tokens.retryInMs() };
      }
    },
  };
}
