import type { RecordKind, TrackerRecord } from '../../contract/record.ts';

/** A record as the outbox keeps it: what WebEngage gets, and the id it is known by. */
export type StoredRecord = { readonly id: string; readonly [field: string]: unknown };

/**
 * Records of one kind that one browser sent together, in order: one row, however many they are.
 * `taken` of them, from the first, are settled.
 */
export type Run = {
  readonly seq: number;
  readonly device: string;
  readonly kind: RecordKind;
  readonly at: number;
  readonly count: number;
  readonly taken: number;
};

/** Cuts a browser's records into runs: a new one where the kind changes. */
export function toRuns(
  records: readonly TrackerRecord[],
): { readonly kind: RecordKind; readonly records: readonly StoredRecord[] }[] {
  const runs: { kind: RecordKind; records: StoredRecord[] }[] = [];
  for (const { kind, age: _, ...record } of records) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.records.push(record);
    else runs.push({ kind, records: [record] });
  }
  return runs;
}
