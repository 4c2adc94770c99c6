import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import { LANES, type Lane } from '../../contract/lane.ts';
import type { RecordKind } from '../../contract/record.ts';
import { seqsOf, within } from './lanes.ts';
import type { Run } from './run.ts';

// The most runs in one view of the oldest, and the most views for one cut.
const RUNS_IN_VIEW = 1_000;
const MAX_VIEWS = 2;

const COLUMNS = 'seq, device, kind, at, count, taken';

// In the order of `COLUMNS`.
type RunRow = [seq: number, device: string, kind: RecordKind, at: number, count: number, taken: number];

/**
 * The oldest runs of a lane, read lazily, without those of the browsers passed over. If a few browsers fill the
 * view alone, a second view without them follows.
 */
export function* oldestRuns(sql: SqlStorage, lane: Lane, passedOver: readonly string[]): Generator<Run> {
  const shown = new Map<string, number>();
  const { from, below } = seqsOf(lane);
  let last = from - 1;
  for (let view = 0; view < MAX_VIEWS; view++) {
    const crowding = [...shown]
      .filter(([, records]) => records >= MAX_BATCH_RECORDS)
      .map(([device]) => device);
    if (view > 0 && crowding.length === 0) return;
    let read = 0;
    for (const run of readRuns(
      sql,
      `SELECT ${COLUMNS} FROM run WHERE seq > ? AND seq < ? AND device NOT IN (SELECT value FROM json_each(?))
       ORDER BY seq LIMIT ?`,
      last,
      below,
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
 * The oldest runs of a randomly chosen browser, without those passed over. First a lane is chosen, then a run
 * in it.
 *
 * @param chance from 0 to 1, 1 excluded
 */
export function randomDeviceRuns(
  sql: SqlStorage,
  passedOver: readonly string[],
  chance: number,
): Iterable<Run> {
  const ranges = LANES.map((lane) => rangeOf(sql, lane)).filter((range) => range !== undefined);
  const drawn = chance * ranges.length;
  const at = Math.floor(drawn);
  for (const range of [...ranges.slice(at), ...ranges.slice(0, at)]) {
    const from = range.first + Math.floor((drawn - at) * (range.last - range.first + 1));
    const device =
      firstDevice(sql, range.lane, from, passedOver) ?? firstDevice(sql, range.lane, range.first, passedOver);
    if (device !== undefined)
      return readRuns(
        sql,
        `SELECT ${COLUMNS} FROM run WHERE device = ? ORDER BY seq LIMIT ?`,
        device,
        MAX_BATCH_RECORDS,
      );
  }
  return [];
}

type SeqRange = { readonly lane: Lane; readonly first: number; readonly last: number };

function rangeOf(sql: SqlStorage, lane: Lane): SeqRange | undefined {
  const edge = (order: string) =>
    sql
      .exec<{ seq: number }>(`SELECT seq FROM run WHERE ${within(lane)} ORDER BY seq ${order} LIMIT 1`)
      .toArray()[0]?.seq;
  const [first, last] = [edge('ASC'), edge('DESC')];
  return first === undefined || last === undefined ? undefined : { lane, first, last };
}

/** The browser of a lane's first run from a number on, without those passed over. */
function firstDevice(
  sql: SqlStorage,
  lane: Lane,
  from: number,
  passedOver: readonly string[],
): string | undefined {
  return sql
    .exec<{ device: string }>(
      `SELECT device FROM run WHERE seq >= ? AND seq < ? AND device NOT IN (SELECT value FROM json_each(?))
       ORDER BY seq LIMIT 1`,
      from,
      seqsOf(lane).below,
      JSON.stringify(passedOver),
    )
    .toArray()[0]?.device;
}

/** Reads rows as arrays, which takes a quarter of the time: each view has up to a thousand rows. */
function* readRuns(sql: SqlStorage, query: string, ...bindings: unknown[]): Generator<Run> {
  for (const [seq, device, kind, at, count, taken] of sql.exec(query, ...bindings).raw<RunRow>())
    yield { seq, device, kind, at, count, taken };
}
