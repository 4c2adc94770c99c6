import { count, readTotals } from '../counters.ts';
import type { StoredRecord } from '../run.ts';
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
  readonly afterSeq: number;
  /** The total of entered records when the first step began. */
  readonly entered: number;
};

export type EraseStep = { readonly erased: Erased; readonly next: EraseCursor | undefined };

/** The most that one step reads, so that it does not block the object for long. */
export type StepSize = { readonly runs: number; readonly characters: number };

const STEP: StepSize = { runs: 10_000, characters: 64_000_000 };

type Hit = { readonly seq: number };

/**
 * Runs one step of removing a person's records from the queue and the dead letters. The caller must store no
 * record of the person from the first step on.
 *
 * Records move between the steps. So the last one reads the dead letters, and every run that was stored since the
 * first step: a dead letter may have been queued again behind the part that was read.
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
    const { afterSeq, entered } = from ?? {
      afterSeq: Number.MIN_SAFE_INTEGER,
      entered: readTotals(sql).entered,
    };
    const { hits, last } = readRuns(sql, text, afterSeq, size);
    const isEnd = last === undefined;
    const since =
      isEnd && from !== undefined
        ? sql.exec<Hit>('SELECT seq FROM run WHERE entered >= ? AND instr(records, ?) > 0', entered, text)
        : [];
    const seqs = new Set([...hits, ...Array.from(since, ({ seq }) => seq)]);
    const removed = removeFrom(sql, [...seqs], person, now);
    const deadLetters = isEnd ? eraseDeadLetters(sql, person, now) : 0;
    return {
      erased: { waiting: removed.erased, inFlight: removed.inFlight, deadLetters },
      next: last === undefined ? undefined : { afterSeq: last, entered },
    };
  });
}

/** The runs that contain the text, and the last run that was read. Undefined if there are no more. */
function readRuns(
  sql: SqlStorage,
  text: string,
  afterSeq: number,
  { runs, characters }: StepSize,
): { readonly hits: readonly number[]; readonly last: number | undefined } {
  const hits: number[] = [];
  let left = characters;
  let read = 0;
  const rows = sql.exec<{ seq: number; size: number; hit: number }>(
    `SELECT seq, length(records) AS size, instr(records, ?) > 0 AS hit FROM run WHERE seq > ?
     ORDER BY seq LIMIT ?`,
    text,
    afterSeq,
    runs,
  );
  for (const { seq, size, hit } of rows) {
    if (hit === 1) hits.push(seq);
    read += 1;
    left -= size;
    if (left <= 0 || read === runs) return { hits, last: seq };
  }
  return { hits, last: undefined };
}

function removeFrom(sql: SqlStorage, seqs: readonly number[], person: Person, now: number): Removed {
  const positions = new Map<number, ReadonlySet<number>>();
  for (const seq of seqs) {
    const { records } = sql.exec<{ records: string }>('SELECT records FROM run WHERE seq = ?', seq).one();
    const found = (JSON.parse(records) as StoredRecord[]).flatMap((record, at) =>
      isOfPerson(record, person) ? [at] : [],
    );
    if (found.length > 0) positions.set(seq, new Set(found));
  }
  return removeRecords(sql, positions, now);
}

function eraseDeadLetters(sql: SqlStorage, person: Person, now: number): number {
  const ids = sql
    .exec<{ id: number; record: string }>(
      'SELECT id, record FROM dead WHERE instr(record, ?) > 0',
      textOfPerson(person),
    )
    .toArray()
    .filter(({ record }) => isOfPerson(JSON.parse(record), person))
    .map(({ id }) => id);
  for (const id of ids) sql.exec('DELETE FROM dead WHERE id = ?', id);
  if (ids.length > 0) count(sql, { discarded: ids.length }, now);
  return ids.length;
}
