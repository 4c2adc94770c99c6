import {
  type BufferedRecord,
  COUNTS,
  type Counts,
  type Entry,
  type Storage,
  waiting,
} from '../store/record-store.ts';
import type { Held } from '../unload/unsettled.ts';
import type { IdentityTokens } from './identity-tokens.ts';

/**
 * Tells the records that may leave from those whose token can't be had: of a person who has used this browser before, or
 * whom the site makes no token for. Those wait for that person, and hold back nobody else's.
 */
export type Lookout = {
  /** The oldest records that may leave or have expired. */
  readonly look: (limit: number) => Promise<readonly BufferedRecord[]>;
  /** Whether there is a token for a record that needs one. */
  readonly mayGo: (entry: Entry) => boolean;
  /** The same for a page that looks into no buffer: it must not overtake what lies there, passed over. */
  readonly mayLeave: (entry: Entry) => boolean;
  /** Whether there is a token by now for some that were passed over; else one is asked for, if it can be had. */
  readonly moreMayGo: () => boolean;
  /** How many were passed over, as far as is known. */
  readonly passedOver: () => number;
  /** When the oldest of them was made. */
  readonly oldestAt: () => number;
};

// What is passed over is looked through again when some of it has expired; not for each record of a whole week.
const REST_MS = 60_000;

/** @param held is told what was found before anything else may leave by it */
export function lookoutOver(
  storage: Pick<Storage, 'peek' | 'get'>,
  { userOf, of }: Pick<IdentityTokens, 'userOf' | 'of'>,
  held: Pick<Held, 'found'>,
  maxAgeMs: number,
  now: () => number,
): Lookout {
  // Up to this row all were passed over: ten thousand of them must not be read with each flush.
  let from = 0;
  let users = new Set<string>();
  let oldestAt = Number.POSITIVE_INFINITY;
  let lastKey: number | undefined;
  let passedOver = 0;

  const mayGo = ({ record }: Entry) => {
    const userId = userOf(record);
    return !userId || !!of(userId);
  };
  const moreMayGo = () => [...users].some(of);

  async function look(limit: number): Promise<readonly BufferedRecord[]> {
    if (now() - oldestAt > maxAgeMs + REST_MS || moreMayGo()) from = 0;
    const first = from;
    const passed = new Set(first ? users : []);
    if (!first) {
      oldestAt = Number.POSITIVE_INFINITY;
      lastKey = undefined;
    }
    let firstKey: number | undefined;
    let found = false;
    const records = await storage.peek(limit, first, (entry) => {
      const { key, at, record } = entry;
      firstKey ??= key;
      // What was seen after these may have been settled since: the next key still follows it.
      lastKey = Math.max(key, lastKey ?? key);
      // Once passed over, theirs are for the whole look: a token that comes in the midst of it would let later ones overtake.
      const wanted = now() - at > maxAgeMs || (!passed.has(String(record.userId)) && mayGo(entry));
      found ||= wanted;
      if (!wanted) {
        users.add(String(record.userId));
        passed.add(String(record.userId));
        oldestAt = Math.min(oldestAt, at);
        if (!found) from = key;
      }
      return wanted;
    });
    // Gone, or this is another database: what is known of the rows before it is no longer true.
    if (first && firstKey !== first) {
      from = 0;
      return look(limit);
    }
    const whole = records.length < limit;
    passedOver =
      whole && passed.size > 0 ? waiting(((await storage.get(COUNTS)) ?? {}) as Counts) - records.length : 0;
    held.found({ records, whole, lastKey }, (entry) => !mayGo(entry));
    users = passed;
    return records;
  }

  return {
    look,
    moreMayGo,
    mayGo,
    mayLeave: (entry) => mayGo(entry) && !users.has(String(entry.record.userId)),
    passedOver: () => passedOver,
    oldestAt: () => oldestAt,
  };
}
