import { LANES, type Lane } from '../../../contract/lane.ts';
import type { RecordKind } from '../../../contract/record.ts';
import { MINUTE_MS } from '../../../pacing/minute.ts';
import { type ByLane, byLane, firstSeq, seqAfter, within } from '../lanes.ts';
import { lastSegmentsOf, parseSegments, type Segment, type Segments } from '../segments/segments.ts';
import { formatSeqs, parseSeqs, type Seqs } from '../seq-ranges.ts';
import { mapTotals, sum, type Totals, waiting } from './totals.ts';

/** The totals at the end of a minute. */
export type Minute = { readonly at: number; readonly totals: Totals };

// As far back as the operator's plot goes.
const KEPT_MINUTES = 60;

/** When a call of each kind was last accepted; 0 if never. */
export type TakenAt = Readonly<Record<RecordKind, number>>;

/** How many records have ever entered a lane, and how many have left it. */
type Passed = { readonly entered: number; readonly left: number };

type PassedLane = Exclude<Lane, 'live'>;

/** Everything that was ever counted, and when calls were last accepted. */
export type Tally = {
  readonly at: number;
  readonly totals: Totals;
  readonly takenAt: TakenAt;
  /** Waiting records, by lane. */
  readonly waiting: ByLane;
  /** The number of the next run, by lane. */
  readonly nextSeq: ByLane;
  readonly segments: Segments;
  readonly passed: Readonly<Record<PassedLane, Passed>>;
};

type NewestRow = {
  readonly source: Lane | 'minute' | 'segments';
  /** A run's `seq`, or a minute's `at`. */
  readonly key: number;
  readonly count: number;
  readonly entered: number;
  readonly unverified: number;
  /** A minute's totals, or the state of the segments. */
  readonly state: string;
};

// One statement, because it runs in every ingest: the latest minute, the segments, and the open one's newest run of
// each lane.
const newestQuery = (open: Segment) =>
  [
    `SELECT 'minute' AS source, at AS key, 0 AS count, 0 AS entered, 0 AS unverified, totals AS state
     FROM minute ORDER BY at DESC LIMIT 1`,
    `SELECT 'segments', 0, 0, 0, 0, state FROM segments`,
    ...LANES.map(
      (lane) =>
        `SELECT '${lane}', seq, count, entered, unverified, '' FROM ${open}
         WHERE ${within(lane)} ORDER BY seq DESC LIMIT 1`,
    ),
  ]
    .map((select) => `SELECT * FROM (${select})`)
    .join(' UNION ALL ');

const NEWEST: Readonly<Record<Segment, string>> = {
  run_a: newestQuery('run_a'),
  run_b: newestQuery('run_b'),
};

function readNewest(sql: SqlStorage): { readonly rows: readonly NewestRow[]; readonly segments: Segments } {
  const { open } = lastSegmentsOf(sql);
  const rows = sql.exec<NewestRow>(NEWEST[open]).toArray();
  const state = rows.find(({ source }) => source === 'segments')?.state ?? '';
  const segments = parseSegments(sql, state);
  return segments.open === open ? { rows, segments } : readNewest(sql);
}

/**
 * Rows written are billed, so a flush of new records writes none just to count them. Instead, each run
 * carries the totals `entered` and `unverified` at its time, and its number tells how many records have
 * entered its lane. All other counts are in the row of their minute.
 */
export function readTally(sql: SqlStorage): Tally {
  const { rows, segments } = readNewest(sql);
  const newest = (source: Lane | 'minute') => rows.find((row) => row.source === source);
  const minute = newest('minute');
  const { totals: counted, takenAt, lanes } = parseLatest(sql, minute?.state ?? '{}');
  const totals: Totals = {
    ...counted,
    entered: Math.max(counted.entered, ...rows.map(({ entered }) => entered)),
    unverified: Math.max(counted.unverified, ...rows.map(({ unverified }) => unverified)),
  };
  const nextSeq = byLane((lane) => {
    const run = newest(lane);
    return run === undefined ? segments.openFrom[lane] : seqAfter(run.key, run.count);
  });
  const passed = {
    server: passedOf(lanes.server, 'server', nextSeq),
    import: passedOf(lanes.import, 'import', nextSeq),
  };
  const inLane = (lane: PassedLane) => Math.max(0, passed[lane].entered - passed[lane].left);
  return {
    at: minute?.key ?? 0,
    totals,
    takenAt,
    passed,
    waiting: {
      live: Math.max(0, waiting(totals) - inLane('server') - inLane('import')),
      server: inLane('server'),
      import: inLane('import'),
    },
    nextSeq: {
      live: nextSeq.live,
      server: firstSeq('server') + passed.server.entered,
      import: firstSeq('import') + passed.import.entered,
    },
    segments,
  };
}

function passedOf(stored: Passed, lane: PassedLane, nextSeq: ByLane): Passed {
  return { ...stored, entered: Math.max(stored.entered, nextSeq[lane] - firstSeq(lane)) };
}

/** Everything that was ever counted. */
export function readTotals(sql: SqlStorage): Totals {
  return readTally(sql).totals;
}

export function readTakenAt(sql: SqlStorage): TakenAt {
  return readTally(sql).takenAt;
}

/** Changes besides the counts. */
type Beside = {
  /** The kind of a call that has just been accepted. */
  readonly taken?: RecordKind;
  /** How many records have stopped waiting, by lane. Negative if they wait again. */
  readonly left?: ByLane;
  /** All settled runs, if there are more now, or fewer. */
  readonly settled?: Seqs | undefined;
};

const NONE = byLane(() => 0);

const SETTLED = 'SELECT settled FROM minute ORDER BY at DESC LIMIT 1';

// A cache by the text, as for the counts.
const latestSettled = new WeakMap<SqlStorage, { readonly text: string; readonly seqs: Seqs }>();

/** The settled runs of the segments. */
export function readSettled(sql: SqlStorage): Seqs {
  const text = sql.exec<{ settled: string }>(SETTLED).toArray()[0]?.settled ?? '';
  const known = latestSettled.get(sql);
  if (known?.text === text) return known.seqs;
  const seqs = parseSeqs(text);
  latestSettled.set(sql, { text, seqs });
  return seqs;
}

/** Adds to the counts: one row written, that of the current minute. */
export function count(
  sql: SqlStorage,
  happened: Partial<Totals>,
  now: number,
  { taken, left = NONE, settled }: Beside = {},
): void {
  const before = readTally(sql);
  const takenAt = { ...before.takenAt, ...(taken && { [taken]: now }) };
  const passedWith = (lane: PassedLane) => ({
    ...before.passed[lane],
    left: before.passed[lane].left + left[lane],
  });
  const lanes = { server: passedWith('server'), import: passedWith('import') };
  // If the clock was set back, counting continues in the latest minute, because only the newest row is
  // read.
  const at = Math.max(now - (now % MINUTE_MS), before.at);
  sql.exec(
    `INSERT INTO minute (at, totals, settled) VALUES (?, ?, COALESCE(?, (${SETTLED}), ''))
     ON CONFLICT DO UPDATE SET totals = excluded.totals, settled = excluded.settled`,
    at,
    JSON.stringify({ ...sum(before.totals, happened), takenAt, lanes }),
    settled === undefined ? null : formatSeqs(settled),
  );
  if (at === before.at) return;
  // The newest row from before the hour stays: the first minute of the hour is the difference from it.
  sql.exec(
    'DELETE FROM minute WHERE at < (SELECT MAX(at) FROM minute WHERE at < ?)',
    at - KEPT_MINUTES * MINUTE_MS,
  );
}

/** The last hour, oldest first: a row for each minute in which something was counted. */
export function minutes(sql: SqlStorage): Minute[] {
  return sql
    .exec<{ at: number; totals: string }>('SELECT at, totals FROM minute ORDER BY at')
    .toArray()
    .map(({ at, totals }) => ({ at, totals: parseRow(totals).totals }));
}

type ParsedRow = Pick<Tally, 'totals' | 'takenAt'> & { readonly lanes: Tally['passed'] };

// A cache by the row's text: most ingests find the same row as the one before.
const latestRows = new WeakMap<SqlStorage, { readonly json: string; readonly row: ParsedRow }>();

function parseLatest(sql: SqlStorage, json: string): ParsedRow {
  const known = latestRows.get(sql);
  if (known?.json === json) return known.row;
  const row = parseRow(json);
  latestRows.set(sql, { json, row });
  return row;
}

/**
 * Reads a stored row. A count that is missing is 0. Releases before 0.2.0 stored `requeued` under the name `pardoned`.
 */
function parseRow(json: string): ParsedRow {
  const { pardoned = 0, takenAt, lanes, ...counted }: StoredRow = JSON.parse(json);
  const known: Partial<Totals> = { requeued: pardoned, ...counted };
  return {
    totals: mapTotals((name) => known[name] ?? 0),
    takenAt: { user: 0, event: 0, ...takenAt },
    lanes: { server: NEVER_USED, import: NEVER_USED, ...lanes },
  };
}

const NEVER_USED: Passed = { entered: 0, left: 0 };

type StoredRow = Partial<Totals> & {
  readonly pardoned?: number;
  readonly takenAt?: TakenAt;
  readonly lanes?: Tally['passed'];
};
