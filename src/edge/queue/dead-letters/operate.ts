import type { Lane } from '../../../contract/lane.ts';
import { DAY_MS } from '../../../pacing/minute.ts';
import { count, readTally } from '../counters/tally.ts';
import { seqAfter } from '../lanes.ts';
import { readInChunks } from '../segments/read-in-chunks.ts';
import type { DeadLetter, DeadRow } from './dead-letters.ts';

/** A page of dead letters, and whether there are more. */
export type StoredDeadLetterPage = { readonly deadLetters: readonly DeadLetter[]; readonly more: boolean };

// A page has to fit into a message between objects, 32 MiB, and into memory.
const MAX_PAGE_BYTES = 8_000_000;

type ListedRow = Omit<DeadRow, 'proven' | 'lane'>;

/** Dead letters after an id, oldest first: as many as fit into a page, but at least one. */
export function listDeadLetters(sql: SqlStorage, afterId: number, limit: number): StoredDeadLetterPage {
  const deadLetters: DeadLetter[] = [];
  let bytes = 0;
  const rows = readInChunks<ListedRow>(
    afterId,
    ({ id }) => id,
    (after, count) =>
      sql
        .exec<ListedRow>(
          `SELECT id, device, kind, accepted_at, given_up_at, status, attempts, words, record FROM dead
           WHERE id > ? ORDER BY id LIMIT ?`,
          after,
          count,
        )
        .toArray(),
  );
  for (const { accepted_at, given_up_at, ...row } of rows) {
    bytes += row.record.length;
    const isOver = deadLetters.length === limit || bytes > MAX_PAGE_BYTES;
    if (isOver && deadLetters.length > 0) return { deadLetters, more: true };
    deadLetters.push({ ...row, acceptedAt: accepted_at, givenUpAt: given_up_at });
  }
  return { deadLetters, more: false };
}

/** Dead letters by their ids, or all that were given up until a moment. */
export type DeadLetterSelection = { readonly ids: readonly number[] } | { readonly until: number };

/**
 * Queues dead letters again, behind everything that waits in their lane, including later records of their
 * browsers. They keep their time of arrival. At most `limit` of them; returns how many.
 */
export function replay(
  storage: DurableObjectStorage,
  selection: DeadLetterSelection,
  limit: number,
  now: number,
): number {
  const { sql } = storage;
  return takeOut(storage, selection, limit, 'replayed', now, (ids) => {
    const { totals, nextSeq, segments } = readTally(sql);
    const next = { ...nextSeq };
    for (const [index, id] of ids.entries()) {
      const { lane } = sql.exec<{ lane: Lane }>('SELECT lane FROM dead WHERE id = ?', id).one();
      // Copied by the database: all of them at once might not fit into memory.
      sql.exec(
        `INSERT INTO ${segments.open} (seq, device, kind, at, count, entered, unverified, records)
         SELECT ?, device, kind, accepted_at, 1, ?, ?, '[' || record || ']' FROM dead WHERE id = ?`,
        next[lane],
        totals.entered + index + 1,
        totals.unverified,
        id,
      );
      next[lane] = seqAfter(next[lane], 1);
    }
  });
}

/** Deletes dead letters for good. At most `limit` of them; returns how many. */
export function discard(
  storage: DurableObjectStorage,
  selection: DeadLetterSelection,
  limit: number,
  now: number,
): number {
  return takeOut(storage, selection, limit, 'discarded', now, () => {});
}

// The most in one wake, so that it stays short. The next one, a minute later, continues.
const MAX_EXPIRED = 1_000;

/** Discards dead letters above this age, and returns their number. Reads a single row if none has expired. */
export function discardExpired(storage: DurableObjectStorage, maxAgeDays: number, now: number): number {
  const until = now - maxAgeDays * DAY_MS;
  const [oldest] = storage.sql
    .exec<{ at: number }>('SELECT given_up_at AS at FROM dead ORDER BY id LIMIT 1')
    .toArray();
  return oldest !== undefined && oldest.at <= until ? discard(storage, { until }, MAX_EXPIRED, now) : 0;
}

/** Removes dead letters after `then` has dealt with them, in one transaction. Returns their number. */
function takeOut(
  storage: DurableObjectStorage,
  selection: DeadLetterSelection,
  limit: number,
  counted: 'replayed' | 'discarded',
  now: number,
  then: (ids: readonly number[]) => void,
): number {
  const { sql } = storage;
  return storage.transactionSync(() => {
    const ids = select(sql, selection, limit);
    if (ids.length === 0) return 0;
    then(ids);
    for (const id of ids) sql.exec('DELETE FROM dead WHERE id = ?', id);
    count(sql, { [counted]: ids.length }, now);
    return ids.length;
  });
}

function select(sql: SqlStorage, selection: DeadLetterSelection, limit: number): number[] {
  const rows =
    'until' in selection
      ? sql.exec<{ id: number }>(
          'SELECT id FROM dead WHERE given_up_at <= ? ORDER BY id LIMIT ?',
          selection.until,
          limit,
        )
      : sql.exec<{ id: number }>(
          'SELECT id FROM dead WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?',
          JSON.stringify(selection.ids),
          limit,
        );
  return Array.from(rows, ({ id }) => id);
}
