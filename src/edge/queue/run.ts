import type { RecordKind, TrackerRecord } from '../../contract/record.ts';

/** A record as the outbox stores it: the fields that WebEngage gets, and our id. */
export type StoredRecord = { readonly id: string; readonly [field: string]: unknown };

/**
 * Records of one kind that one browser sent together, in order. One row, however many there are. The first
 * `taken` of them are settled.
 */
export type Run = {
  readonly seq: number;
  readonly device: string;
  readonly kind: RecordKind;
  readonly at: number;
  readonly count: number;
  readonly taken: number;
};

/**
 * A run that is not stored yet. Its records are a string, because an object costs several times as much to
 * send over RPC.
 */
export type NewRun = {
  readonly kind: RecordKind;
  /** The records' ids, in order. */
  readonly ids: readonly string[];
  /** How many of the records name a user. */
  readonly ofUsers: number;
  /** The records as the outbox stores them: a JSON array of `StoredRecord`. */
  readonly records: string;
};

/** Splits a browser's records into runs: a new one begins where the kind changes. */
export function toRuns(records: readonly TrackerRecord[]): NewRun[] {
  const runs: { kind: RecordKind; records: StoredRecord[] }[] = [];
  for (const { kind, age: _, ...record } of records) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.records.push(record);
    else runs.push({ kind, records: [record] });
  }
  return runs.map(({ kind, records }) => newRun(kind, records));
}

/** The run without its known records. */
export function withoutKnown(run: NewRun, isKnown: (id: string) => boolean): NewRun {
  const flags = run.ids.map(isKnown);
  if (!flags.includes(true)) return run;
  const records: readonly StoredRecord[] = JSON.parse(run.records);
  return newRun(
    run.kind,
    records.filter((_, at) => !flags[at]),
  );
}

function newRun(kind: RecordKind, records: readonly StoredRecord[]): NewRun {
  return {
    kind,
    ids: records.map(({ id }) => id),
    ofUsers: records.filter(({ userId }) => userId !== undefined).length,
    records: JSON.stringify(records),
  };
}
