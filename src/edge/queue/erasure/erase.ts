import { count, readTotals } from '../counters/tally.ts';
import { readInChunks } from '../segments/read-in-chunks.ts';
import type { RunTable } from '../segments/segments.ts';
import { deleteRun } from '../segments/settled.ts';
import { waitingRun } from '../segments/waiting-runs.ts';
import { isOfPerson, type Person, textOfPerson } from './person.ts';
import { type Removed, removeRecords } from './remove-records.ts';

/** How many records of a person one outbox has removed. */
export type Erased = {
  /** Records that waited to be sent. */
  readonly waiting: number;
  /** Records in calls that may have reached WebEngage. They are erased as soon as the outcome is known. */
  readonly inFlight: number;
  readonly deadLetters: number;
};

/** Where the next step continues. */
export type EraseCursor = {
  /** The last run that was read. */
  readonly afterSeq: number;
  /** The last dead letter that was read. 0: none yet. */
  readonly afterDead: number;
  /** The total of entered records when the first step began. */
  readonly entered: number;
};

export type EraseStep = { readonly erased: Erased; readonly next: EraseCursor | undefined };

/** The most that one step reads of the runs and of the dead letters, so that it does not block the object for long. */
export type StepSize = { readonly rows: number; readonly characters: number };

const STEP: StepSize = { rows: 10_000, characters: 64_000_000 };

type Hit = { readonly seq: number };

/**
 * Runs one step of removing a person's records from the queue, and then from the dead letters. The caller must store
 * no record of the person from the first step on.
 *
 * Records move between the steps. A new dead letter has a higher number, so it is still to be read. The last step
 * reads every run that was stored since the first one: a dead letter may have been queued again behind the part that
 * was read.
 */
export function eraseStep(
  storage: DurableObjectStorage,
  person: Person,
  from: EraseCursor | undefined,
  now: number,
  size: StepSize = STEP,
): EraseStep {
  const { sql } = storage;
  const text = textOfPerson(person);
  return storage.transactionSync(() => {
    const { afterSeq, afterDead, entered } = from ?? {
      afterSeq: Number.MIN_SAFE_INTEGER,
      afterDead: 0,
      entered: readTotals(sql).entered,
    };
    const runs = read(sql, RUNS, text, afterSeq, size);
    const dead = runs.isEnd ? read(sql, DEAD, text, afterDead, size) : undefined;
    const isEnd = dead?.isEnd === true;
    const since =
      isEnd && from !== undefined
        ? sql.exec<Hit>(
            fromAllRuns((table) => `SELECT seq FROM ${table} WHERE entered >= ?1 AND instr(records, ?2) > 0`),
            entered,
            text,
          )
        : [];
    const seqs = new Set([...runs.hits, ...Array.from(since, ({ seq }) => seq)]);
    const removed = removeFrom(sql, [...seqs], person, now);
    const deadLetters = eraseDeadLetters(sql, dead?.hits ?? [], person, now);
    return {
      erased: { waiting: removed.erased, inFlight: removed.inFlight, deadLetters },
      next: isEnd ? undefined : { afterSeq: runs.last, afterDead: dead?.last ?? afterDead, entered },
    };
  });
}

// Accepted records stay in their segment for a while. Theirs are removed as well.
const fromAllRuns = (select: (table: RunTable) => string) =>
  (['run_front', 'run_a', 'run_b'] as const).map(select).join(' UNION ALL ');

const RUNS = `${fromAllRuns(
  (table) =>
    `SELECT seq AS number, length(records) AS size, instr(records, ?1) > 0 AS hit FROM ${table} WHERE seq > ?2`,
)} ORDER BY number LIMIT ?3`;
const DEAD = `SELECT id AS number, length(record) AS size, instr(record, ?) > 0 AS hit FROM dead
  WHERE id > ? ORDER BY id LIMIT ?`;

type SearchedRow = { readonly number: number; readonly size: number; readonly hit: number };

/** The numbers of the rows that contain the text, and the last row that was read. */
function read(
  sql: SqlStorage,
  query: string,
  text: string,
  after: number,
  { rows, characters }: StepSize,
): { readonly hits: readonly number[]; readonly last: number; readonly isEnd: boolean } {
  const hits: number[] = [];
  let last = after;
  let left = characters;
  let some = 0;
  const found = readInChunks<SearchedRow>(
    after,
    ({ number }) => number,
    (last, limit) => sql.exec<SearchedRow>(query, text, last, limit).toArray(),
  );
  for (const { number, size, hit } of found) {
    if (hit === 1) hits.push(number);
    last = number;
    some += 1;
    left -= size;
    if (left <= 0 || some === rows) return { hits, last, isEnd: false };
  }
  return { hits, last, isEnd: true };
}

function removeFrom(sql: SqlStorage, seqs: readonly number[], person: Person, now: number): Removed {
  const positions = new Map<number, ReadonlySet<number>>();
  for (const seq of seqs) {
    const run = waitingRun(sql, seq);
    const found = run?.records.flatMap((record, at) => (isOfPerson(record, person) ? [at] : [])) ?? [];
    if (found.length > 0) positions.set(seq, new Set(found));
    if (run === undefined) deleteRun(sql, seq);
  }
  return removeRecords(sql, positions, now);
}

function eraseDeadLetters(sql: SqlStorage, ids: readonly number[], person: Person, now: number): number {
  const ofPerson = ids.filter((id) => {
    const { record } = sql.exec<{ record: string }>('SELECT record FROM dead WHERE id = ?', id).one();
    return isOfPerson(JSON.parse(record), person);
  });
  for (const id of ofPerson) sql.exec('DELETE FROM dead WHERE id = ?', id);
  if (ofPerson.length > 0) count(sql, { discarded: ofPerson.length }, now);
  return ofPerson.length;
}
