import type { Lane } from '../../../contract/lane.ts';
import type { RecordKind } from '../../../contract/record.ts';
import { readSettled } from '../counters/tally.ts';
import { seqsOf } from '../lanes.ts';
import type { Run, StoredRecord } from '../run.ts';
import { gapsIn, hasSeq, type Seqs } from '../seq-ranges.ts';
import { type RunTable, segmentsOf, tableOf, tablesOf } from './segments.ts';

// In the order of `COLUMNS`.
type RunRow = [seq: number, device: string, kind: RecordKind, at: number, count: number, taken: number];

const COLUMNS = 'seq, device, kind, at, count, taken';

export type Wanted = {
  /** Only runs with a higher number. */
  readonly after?: number | undefined;
  /** Without the runs of these browsers. */
  readonly passedOver?: readonly string[];
  /** Only the runs of this browser. */
  readonly device?: string | undefined;
  readonly limit: number;
};

/** The oldest waiting runs of a lane, in their order. Settled ones are skipped without being read. */
export function waitingRuns(
  sql: SqlStorage,
  lane: Lane,
  { after = Number.MIN_SAFE_INTEGER, passedOver = [], device, limit }: Wanted,
): Run[] {
  const segments = segmentsOf(sql);
  const settled = readSettled(sql);
  const [front, closed, open] = tablesOf(segments);
  const { from, below } = seqsOf(lane);
  const closedFrom = segments.closedFrom[lane];
  const openFrom = segments.openFrom[lane];
  const first = Math.max(from, after + 1);
  const parts: readonly (readonly [RunTable, Seqs])[] = [
    [front, [[first, below - 1]]],
    [closed, gapsIn(settled, Math.max(first, closedFrom), openFrom)],
    [open, gapsIn(settled, Math.max(first, openFrom), below)],
  ];
  const runs: Run[] = [];
  for (const [table, gaps] of parts) {
    if (gaps.length === 0 || runs.length === limit) continue;
    runs.push(...readRuns(sql, table, gaps, { passedOver, device, limit: limit - runs.length }));
  }
  return runs;
}

/** Reads rows as arrays, which takes a quarter of the time: a view has up to a thousand rows. */
function readRuns(
  sql: SqlStorage,
  table: RunTable,
  gaps: Seqs,
  { passedOver, device, limit }: Required<Pick<Wanted, 'passedOver' | 'limit'>> & Pick<Wanted, 'device'>,
): Run[] {
  const [gap] = gaps;
  // Most often there is one. A range is faster than a join, which reads the gaps in their order.
  const [tables, isIn, within] =
    gap !== undefined && gaps.length === 1
      ? [table, 'seq BETWEEN ?3 AND ?4', gap]
      : [
          `json_each(?3) AS gap CROSS JOIN ${table}`,
          'seq BETWEEN gap.value ->> 0 AND gap.value ->> 1',
          [JSON.stringify(gaps)],
        ];
  const isWanted = device === undefined ? 'device NOT IN (SELECT value FROM json_each(?1))' : 'device = ?1';
  const rows = sql
    .exec(
      `SELECT ${COLUMNS} FROM ${tables} WHERE ${isIn} AND taken < count AND ${isWanted} LIMIT ?2`,
      device ?? JSON.stringify(passedOver),
      limit,
      ...within,
    )
    .raw<RunRow>();
  return Array.from(rows, ([seq, device, kind, at, count, taken]) => ({
    seq,
    device,
    kind,
    at,
    count,
    taken,
  }));
}

/** A waiting run with its records. Undefined if it is settled. */
export function waitingRun(
  sql: SqlStorage,
  seq: number,
): (Omit<Run, 'seq' | 'at'> & { readonly records: readonly StoredRecord[] }) | undefined {
  const table = tableOf(segmentsOf(sql), seq);
  if (table !== 'run_front' && hasSeq(readSettled(sql), seq)) return undefined;
  const [run] = sql
    .exec<{ device: string; kind: RecordKind; count: number; taken: number; records: string }>(
      `SELECT device, kind, count, taken, records FROM ${table} WHERE seq = ? AND taken < count`,
      seq,
    )
    .toArray();
  return run && { ...run, records: JSON.parse(run.records) };
}

/** True if the lane has records to send, including those in sealed batches. */
export function hasWork(sql: SqlStorage, lane: Lane): boolean {
  return waitingRuns(sql, lane, { limit: 1 }).length > 0;
}

/** The browsers that have records in sealed batches. */
export function sealedDevices(sql: SqlStorage): string[] {
  return sql
    .exec<{ device: string }>(
      `SELECT DISTINCT member.value ->> 'device' AS device FROM batch, json_each(batch.members) AS member`,
    )
    .toArray()
    .map(({ device }) => device);
}
