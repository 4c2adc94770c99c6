import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { RecordKind } from '../../contract/record.ts';
import type { Run } from './run.ts';

// The most runs in one view of the oldest, and the most views for one cut.
const RUNS_IN_VIEW = 1_000;
const MAX_VIEWS = 2;

const COLUMNS = 'seq, device, kind, at, count, taken';

// In the order of `COLUMNS`.
type RunRow = [seq: number, device: string, kind: RecordKind, at: number, count: number, taken: number];

/**
 * The oldest runs, read lazily, without those of the browsers passed over. If a few browsers fill the view
 * alone, a second view without them follows.
 */
export function* oldestRuns(sql: SqlStorage, passedOver: readonly string[]): Generator<Run> {
  const shown = new Map<string, number>();
  let last = Number.MIN_SAFE_INTEGER;
  for (let view = 0; view < MAX_VIEWS; view++) {
    const crowding = [...shown]
      .filter(([, records]) => records >= MAX_BATCH_RECORDS)
      .map(([device]) => device);
    if (view > 0 && crowding.length === 0) return;
    let read = 0;
    for (const run of readRuns(
      sql,
      `SELECT ${COLUMNS} FROM run WHERE seq > ? AND device NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?`,
      last,
      JSON.stringify([...passedOver, ...crowding]),
      RUNS_IN_VIEW,
    )) {
      yield run;
      shown.set(run.device, (shown.get(run.device) ?? 0) + run.count - run.taken);
      last = run.seq;
      read += 1;
    }
    if (read < RUNS_IN_VIEW) return;
  }
}

/**
 * The oldest runs of a randomly chosen browser, without those passed over.
 *
 * @param chance from 0 to 1, 1 excluded
 */
export function randomDeviceRuns(
  sql: SqlStorage,
  passedOver: readonly string[],
  chance: number,
): Iterable<Run> {
  const { first, last } = sql
    .exec<{ first: number | null; last: number | null }>(
      'SELECT MIN(seq) AS first, MAX(seq) AS last FROM run',
    )
    .one();
  if (first === null || last === null) return [];
  const firstFrom = (from: number) =>
    sql
      .exec<{ device: string }>(
        `SELECT device FROM run WHERE seq >= ? AND device NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 1`,
        from,
        JSON.stringify(passedOver),
      )
      .toArray()[0];
  const chosen = firstFrom(first + Math.floor(chance * (last - first + 1))) ?? firstFrom(first);
  if (chosen === undefined) return [];
  return readRuns(
    sql,
    `SELECT ${COLUMNS} FROM run WHERE device = ? ORDER BY seq LIMIT ?`,
    chosen.device,
    MAX_BATCH_RECORDS,
  );
}

/** Reads rows as arrays, which takes a quarter of the time: each view has up to a thousand rows. */
function* readRuns(sql: SqlStorage, query: string, ...bindings: unknown[]): Generator<Run> {
  for (const [seq, device, kind, at, count, taken] of sql.exec(query, ...bindings).raw<RunRow>())
    yield { seq, device, kind, at, count, taken };
}
