import { type ByLane, laneOf } from '../lanes.ts';

/**
 * Runs are stored in two segments, which are tables. The open one takes new runs, and the closed one drains. Once it is
 * nearly empty, the closed one is dropped as a whole, and the open one takes its place. Cloudflare bills each deleted row,
 * but no dropped table. So no accepted run is deleted by itself: see settled.ts.
 */
export type Segment = 'run_a' | 'run_b';

/**
 * A segment, or the front: the few runs that outlived their segment, and those that go before all others. They are deleted
 * one by one. Their numbers are smaller than those of the segments.
 */
export type RunTable = Segment | 'run_front';

export type Segments = {
  readonly open: Segment;
  /** The number from which each lane's runs are in the open segment. */
  readonly openFrom: ByLane;
  /** The same of the closed one. */
  readonly closedFrom: ByLane;
  readonly openedAt: number;
  /** The ids of the runs from these numbers on are stored with them alone: see dedup/. All are in the open segment. */
  readonly unrememberedFrom: ByLane;
};

/** The front, the closed segment and the open one. Within a lane, their numbers rise in this order. */
export function tablesOf({ open }: Segments): readonly [front: 'run_front', closed: Segment, open: Segment] {
  return ['run_front', other(open), open];
}

function other(segment: Segment): Segment {
  return segment === 'run_a' ? 'run_b' : 'run_a';
}

/** The table of a run with this number. */
export function tableOf({ open, openFrom, closedFrom }: Segments, seq: number): RunTable {
  const lane = laneOf(seq);
  if (seq >= openFrom[lane]) return open;
  return seq >= closedFrom[lane] ? other(open) : 'run_front';
}

// `records` is the last column, so that reading the others never touches its pages.
const COLUMNS = `
  seq INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  count INTEGER NOT NULL,
  taken INTEGER NOT NULL DEFAULT 0,
  entered INTEGER NOT NULL,
  unverified INTEGER NOT NULL,
  ids TEXT NOT NULL DEFAULT '[]',
  records TEXT NOT NULL`;

export function createSegment(sql: SqlStorage, segment: Segment): void {
  sql.exec(`CREATE TABLE ${segment} (${COLUMNS})`);
}

/** Makes both segments, empty. The next runs get the numbers in `from`. */
export function createSegments(sql: SqlStorage, from: ByLane): void {
  createSegment(sql, 'run_a');
  createSegment(sql, 'run_b');
  sql.exec('CREATE TABLE segments (only INTEGER PRIMARY KEY CHECK (only = 1), state TEXT NOT NULL)');
  storeSegments(sql, {
    open: 'run_a',
    openFrom: from,
    closedFrom: from,
    openedAt: 0,
    unrememberedFrom: from,
  });
}

export function storeSegments(sql: SqlStorage, segments: Segments): void {
  sql.exec(
    'INSERT INTO segments (only, state) VALUES (1, ?) ON CONFLICT DO UPDATE SET state = excluded.state',
    JSON.stringify(segments),
  );
}

// A cache by the text: it changes once in many thousand records.
const parsed = new WeakMap<SqlStorage, { readonly state: string; readonly segments: Segments }>();

export function segmentsOf(sql: SqlStorage): Segments {
  const { state } = sql.exec<{ state: string }>('SELECT state FROM segments').one();
  return parseSegments(sql, state);
}

/** The last segments that were read, which may have changed since. */
export function lastSegmentsOf(sql: SqlStorage): Segments {
  return parsed.get(sql)?.segments ?? segmentsOf(sql);
}

export function parseSegments(sql: SqlStorage, state: string): Segments {
  const known = parsed.get(sql);
  if (known?.state === state) return known.segments;
  const segments: Segments = JSON.parse(state);
  parsed.set(sql, { state, segments });
  return segments;
}

/** An SQL expression for the time at which a run was stored, by an expression for its number. */
export function atOfRun(seq: string): string {
  const from = (table: RunTable) => `(SELECT at FROM ${table} WHERE seq = ${seq})`;
  return `COALESCE(${from('run_front')}, ${from('run_a')}, ${from('run_b')})`;
}

/** True if either segment contains runs, settled or not. */
export function holdRuns(sql: SqlStorage): boolean {
  const { some } = sql
    .exec<{ some: number }>('SELECT EXISTS (SELECT 1 FROM run_a) OR EXISTS (SELECT 1 FROM run_b) AS some')
    .one();
  return some === 1;
}
