import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { RecordKind } from '../../contract/record.ts';
import type { DueTimes } from '../limits/fair-queue.ts';
import { type Cut, type CutRules, type CutStep, cutBatch } from '../queue/cut-batch.ts';
import type { Run } from '../queue/run.ts';
import { countRecords, type SealedBatch, sealedBatches } from '../queue/sealed-batches.ts';
import type { Evidence } from './evidence.ts';
import { cutParked, withoutSuspects } from './trim-cut.ts';
import { isRefusal } from './verdict.ts';

export type Work =
  /** `isolates`: from the allowance for finding refused records. */
  | { readonly step: 'resend'; readonly batch: SealedBatch; readonly isolates: boolean }
  /** `isTrial`: in spite of all that fail, to see whether it is WebEngage or they. */
  | (Extract<CutStep, { step: 'cut' }> & { readonly isTrial: boolean; readonly isolates: boolean })
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
  /** Try one record that WebEngage has not refused: what decides about the account must not be a whole batch. */
  readonly probes: boolean;
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

// As many of the oldest runs as a cut looks at, at the most.
const RUNS_IN_VIEW = 1_000;
const MAX_VIEWS = 2;

// A thousand browsers whose next record is suspect are passed over in one look for work; those after them in the next.
const MAX_LOOKS = 40;

const KINDS: readonly RecordKind[] = ['user', 'event'];

/** What to do next: a sealed batch that is due, before any new one. */
export function nextSend(sql: SqlStorage, standing: Standing, now: number): Work {
  const { inFlight, isolationFrom, probes, evidence } = standing;
  const sealed = sealedBatches(sql);
  if (probes) {
    const probe = cutBatch(runsOfAnybody(sql, sealed, standing.chance), { lingerMs: 0, maxRecords: 1 }, now);
    if (probe.step === 'cut') return { ...probe, isTrial: false, isolates: false };
  }
  const waitsForFirst = secondHalves(sealed, evidence);
  const sendable = inOrder(sealed)
    .filter(({ requestId }) => !inFlight.has(requestId) && !waitsForFirst.has(requestId))
    .map((batch) => ({ batch, at: batch.isolating ? Math.max(batch.dueAt, isolationFrom) : batch.dueAt }));
  const due = sendable.filter(({ at }) => at <= now).map(({ batch }) => batch);
  const trials = trialsOf(sealed, evidence);
  const later = trials.filter(({ at }) => at > now);
  const kinds = KINDS.filter((kind) => !later.some((trial) => trial.kind === kind));
  const isTrial = (kind: RecordKind) => trials.some((trial) => trial.kind === kind);
  const busy = new Set(busyDevices(sealed));
  const mayIsolate = isolationFrom <= now;
  const cutOfParked = () => (mayIsolate ? cutParked(sql, evidence.suspects, busy, kinds) : undefined);
  const toTry = (cut: Cut): Work => ({
    step: 'cut',
    cut,
    dueFrom: new Map(),
    isTrial: isTrial(cut.kind),
    isolates: true,
  });

  const parkedBefore = cutOfParked();
  // The smallest part first, so that one search ends before the next begins: what it finds shortens the others.
  const part = due.filter(({ isolating }) => isolating).sort((a, b) => sizeOf(a) - sizeOf(b))[0];
  const isPartsTurn = evidence.isolated === 'parked' || parkedBefore === undefined;
  const unrefused = probes ? due.find((batch) => !wasRefused(batch)) : undefined;
  const resend = unrefused ?? (isPartsTurn ? part : undefined);
  if (resend !== undefined) return { step: 'resend', batch: resend, isolates: resend.isolating };
  if (parkedBefore !== undefined) return toTry(parkedBefore);
  const [first] = due;
  if (first !== undefined) return { step: 'resend', batch: first, isolates: first.isolating };

  const next = kinds.length > 0 ? cutClean(sql, [...busy], standing, kinds, now) : undefined;
  if (next?.step === 'cut') return { ...next, isTrial: isTrial(next.cut.kind), isolates: false };
  // Some may have been parked just now.
  const parked = cutOfParked();
  if (parked !== undefined) return toTry(parked);

  const moments = [
    ...sendable.map(({ at }) => at),
    ...(next?.step === 'wait' ? [next.until] : []),
    ...(!mayIsolate && evidence.suspects.parked.size > 0 ? [isolationFrom] : []),
    ...later.map(({ at }) => at),
  ];
  return moments.length > 0
    ? { step: 'wait', until: Math.min(...moments), held: kinds.length === 0 }
    : { step: 'rest' };
}

/** Second halves of refused batches whose first is still to be heard of: if it is taken, the fault is in the second. */
function secondHalves(sealed: readonly SealedBatch[], { secondHalves }: Evidence): ReadonlySet<string> {
  // One that fails and is not refused may be on its way for hours.
  const firsts = sealed.filter(({ isolating, failures }) => isolating && failures === 0);
  return new Set(firsts.flatMap(({ requestId }) => secondHalves.get(requestId)?.requestId ?? []));
}

/** The kinds that fail, and when each may be tried in spite of it. */
function trialsOf(
  sealed: readonly SealedBatch[],
  { takenAt, triedAt }: Evidence,
): readonly { readonly kind: RecordKind; readonly at: number }[] {
  return KINDS.flatMap((kind) => {
    // One that failed before another of its kind was taken says nothing of WebEngage.
    const failing = sealed.filter(
      (batch) => batch.kind === kind && batch.failures > 0 && batch.answeredAt >= takenAt[kind],
    ).length;
    return failing >= MAX_FAILING ? [{ kind, at: triedAt[kind] + failing * TRIAL_EVERY_MS }] : [];
  });
}

/** Cuts a batch without a suspect record. Whoever has one next is passed over. */
function cutClean(
  sql: SqlStorage,
  busy: readonly string[],
  { lingerMs, msPerRecord, dueTimes, evidence }: Standing,
  kinds: readonly RecordKind[],
  now: number,
): CutStep {
  const dueFrom = (device: string) => dueTimes.dueFrom(device, now);
  const rules: CutRules = { lingerMs, kinds, msPerRecord, dueFrom };
  const passedOver = [...busy, ...evidence.suspects.parked.keys()];
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const next = cutBatch(oldestRuns(sql, passedOver), rules, now);
    if (next.step !== 'cut') return next;
    const { clean, leftOut } = withoutSuspects(sql, next, evidence.suspects);
    if (clean.cut.members.length > 0) return clean;
    passedOver.push(...leftOut);
  }
  return { step: 'wait', until: now + Math.max(lingerMs, 1_000) };
}

const sizeOf = ({ members }: SealedBatch) => countRecords(members);

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
 * The oldest runs, without those of some browsers, read as far as they are asked for. Where a few browsers have so many
 * that nobody else is in view, another view without them follows.
 */
function* oldestRuns(sql: SqlStorage, passedOver: readonly string[]): Generator<Run> {
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
