import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { RecordKind } from '../../contract/record.ts';
import type { DueTimes } from '../limits/fair-queue.ts';
import { type CutRules, type CutStep, cutBatch } from '../queue/cut-batch.ts';
import type { Run } from '../queue/run.ts';
import { type SealedBatch, sealedBatches } from '../queue/sealed-batches.ts';
import type { Evidence } from './evidence.ts';
import { isRefusal } from './verdict.ts';

export type Work =
  /** `isolates`: from the allowance for finding refused records. */
  | { readonly step: 'resend'; readonly batch: SealedBatch; readonly isolates: boolean }
  /** `isTrial`: in spite of all that fail, to see whether it is WebEngage or they. */
  | (Extract<CutStep, { step: 'cut' }> & { readonly isTrial: boolean })
  /** Nothing is due before `until`. `held`: new records are no reason to look sooner. */
  | { readonly step: 'wait'; readonly until: number; readonly held: boolean }
  /** Nothing waits, but for what is in flight. */
  | { readonly step: 'rest' };

/** How things stand while a pass looks for work. */
export type Standing = {
  /** Batches whose call is not answered yet. */
  readonly inFlight: Pick<ReadonlySet<string>, 'has'>;
  /** Until then the gate grants nothing to isolate with. */
  readonly isolationFrom: number;
  /** Look for records that WebEngage has not refused before those it has. */
  readonly unrefusedFirst: boolean;
  /** Then: whose, from 0 to 1, 1 excluded. The oldest may all be somebody's who sends nothing but what is refused. */
  readonly chance: number;
  readonly lingerMs: number;
  /** How long after a record the next one of its browser is due. */
  readonly msPerRecord: number;
  readonly dueTimes: Pick<DueTimes, 'dueFrom'>;
  readonly evidence: Evidence;
};

// Batches of which nobody knows what became. While WebEngage is down no more are cut: what comes meanwhile still merges.
const MAX_FAILING = 6;

// But it may be they, and not WebEngage: a batch is tried all the same, ever more rarely the more fail.
const TRIAL_EVERY_MS = 10_000;

// Parts of refused batches. They hold back the browsers in them and nobody else, up to a number; then they go first, with
// the whole allowance, since nothing else may.
const MAX_ISOLATING = 200;

// As many of the oldest runs as a cut looks at, at the most.
const RUNS_IN_VIEW = 1_000;
const MAX_VIEWS = 2;

const KINDS: readonly RecordKind[] = ['user', 'event'];

/** What to do next: a sealed batch that is due, before any new one. */
export function nextWork(sql: SqlStorage, standing: Standing, now: number): Work {
  const { inFlight, isolationFrom, unrefusedFirst, chance, evidence } = standing;
  const sealed = sealedBatches(sql);
  const crowded = sealed.filter(({ isolating }) => isolating).length >= MAX_ISOLATING;
  const resend = (batch: SealedBatch): Work => ({
    step: 'resend',
    batch,
    isolates: batch.isolating && !crowded,
  });
  const sendable = inOrder(sealed)
    .filter(({ requestId }) => !inFlight.has(requestId))
    .map((batch) => ({
      batch,
      at: batch.isolating && !crowded ? Math.max(batch.dueAt, isolationFrom) : batch.dueAt,
    }));
  const due = sendable.filter(({ at }) => at <= now).map(({ batch }) => batch);
  const dueUnrefused = due.find((batch) => !wasRefused(batch));
  const firstDue = unrefusedFirst ? dueUnrefused : due[0];
  if (firstDue !== undefined) return resend(firstDue);

  // One that failed before another of its kind was taken says nothing of WebEngage.
  const failing = (kind: RecordKind) =>
    sealed.filter(
      (batch) => batch.kind === kind && batch.failures > 0 && batch.answeredAt >= evidence.takenAt[kind],
    ).length;
  const trials = KINDS.filter((kind) => failing(kind) >= MAX_FAILING).map((kind) => ({
    kind,
    at: evidence.triedAt[kind] + failing(kind) * TRIAL_EVERY_MS,
  }));
  const later = trials.filter(({ at }) => at > now);
  // What is looked for to see whether anything is taken must be found, however much is to be isolated.
  const mayCut = unrefusedFirst || !crowded;
  const kinds = mayCut ? KINDS.filter((kind) => !later.some((trial) => trial.kind === kind)) : [];
  const runs = unrefusedFirst ? runsOfAnybody(sql, sealed, chance) : oldestRuns(sql, sealed);
  const rules: CutRules = {
    lingerMs: unrefusedFirst ? 0 : standing.lingerMs,
    kinds,
    msPerRecord: standing.msPerRecord,
    dueFrom: (device) => standing.dueTimes.dueFrom(device, now),
  };
  const next = kinds.length > 0 ? cutBatch(runs, rules, now) : undefined;
  if (next?.step === 'cut') return { ...next, isTrial: trials.some(({ kind }) => kind === next.cut.kind) };
  if (due[0] !== undefined) return resend(due[0]);

  const moments = [
    ...sendable.map(({ at }) => at),
    ...(next?.step === 'wait' ? [next.until] : []),
    ...(mayCut ? later.map(({ at }) => at) : []),
  ];
  return moments.length > 0
    ? { step: 'wait', until: Math.min(...moments), held: kinds.length === 0 }
    : { step: 'rest' };
}

function wasRefused({ isolating, status }: SealedBatch): boolean {
  return isolating || isRefusal(status);
}

/**
 * The sealed batches that stand behind none with older records of the same browser. Only parts of one batch, halved
 * between two records of a browser, share one.
 */
function inOrder(sealed: readonly SealedBatch[]): SealedBatch[] {
  const oldest = new Map<string, { readonly seq: number; readonly from: number }>();
  for (const { members } of sealed)
    for (const { device, seq, from } of members) {
      const known = oldest.get(device);
      if (known === undefined || seq < known.seq || (seq === known.seq && from < known.from))
        oldest.set(device, { seq, from });
    }
  // Of one batch's slices of a browser the oldest stands first: if that one is the browser's oldest, the batch may go.
  return sealed.filter(({ members }) => {
    const firsts = new Map(members.toReversed().map((slice) => [slice.device, slice]));
    return [...firsts.values()].every(({ device, seq, from }) => {
      const first = oldest.get(device);
      return first?.seq === seq && first.from === from;
    });
  });
}

/**
 * The oldest runs of browsers that have nothing sealed, read as far as they are asked for. Where a few browsers have so many
 * that nobody else is in view, another view without them follows.
 */
function* oldestRuns(sql: SqlStorage, sealed: readonly SealedBatch[]): Generator<Run> {
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
      JSON.stringify([...busyDevices(sealed), ...crowding]),
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

/** The oldest runs of one browser that has nothing sealed, whichever chance meets. */
function runsOfAnybody(sql: SqlStorage, sealed: readonly SealedBatch[], chance: number): Iterable<Run> {
  const { first, last } = sql
    .exec<{ first: number | null; last: number | null }>(
      'SELECT MIN(seq) AS first, MAX(seq) AS last FROM run',
    )
    .one();
  if (first === null || last === null) return [];
  const met = (from: number) =>
    sql
      .exec<{ device: string }>(
        `SELECT device FROM run WHERE seq >= ? AND device NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 1`,
        from,
        JSON.stringify(busyDevices(sealed)),
      )
      .toArray()[0];
  const somebody = met(first + Math.floor(chance * (last - first + 1))) ?? met(first);
  if (somebody === undefined) return [];
  return readRuns(
    sql,
    `SELECT ${COLUMNS} FROM run WHERE device = ? ORDER BY seq LIMIT ?`,
    somebody.device,
    MAX_BATCH_RECORDS,
  );
}

const COLUMNS = 'seq, device, kind, at, count, taken';

// As they stand in COLUMNS.
type RunRow = [seq: number, device: string, kind: RecordKind, at: number, count: number, taken: number];

/** A thousand of them a look, at the most: rows without names take a quarter of the time. */
function* readRuns(sql: SqlStorage, query: string, ...bindings: unknown[]): Generator<Run> {
  for (const [seq, device, kind, at, count, taken] of sql.exec(query, ...bindings).raw<RunRow>())
    yield { seq, device, kind, at, count, taken };
}

function busyDevices(sealed: readonly SealedBatch[]): string[] {
  return [...new Set(sealed.flatMap(({ members }) => members.map(({ device }) => device)))];
}
