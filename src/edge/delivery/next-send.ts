import type { Lane } from '../../contract/lane.ts';
import type { RecordKind } from '../../contract/record.ts';
import type { DueTimes } from '../limits/fair-queue.ts';
import type { LaneCredits } from '../limits/lane-credit.ts';
import { type Cut, cutBatch } from '../queue/cut-batch.ts';
import { leadingLane } from '../queue/lanes.ts';
import { countRecords, type SealedBatch, sealedBatches } from '../queue/sealed-batches.ts';
import { oldestRuns, randomDeviceRuns } from '../queue/segments/oldest-runs.ts';
import { cutLanes, type LaneCutStep, type LaneRules } from './cut-lanes.ts';
import type { Evidence } from './evidence.ts';
import { cutParked, withoutSuspects } from './trim-cut.ts';
import { isRefusal } from './verdict.ts';

export type Work =
  /**
   * `isolates`: charged to the allowance for isolating refused records. `lane`: the lane that the call is
   * requested for.
   */
  | { readonly step: 'resend'; readonly batch: SealedBatch; readonly isolates: boolean; readonly lane: Lane }
  /**
   * `isTrial`: cut although batches of its kind fail, to learn whether WebEngage or those batches are at
   * fault.
   */
  | (Extract<LaneCutStep, { step: 'cut' }> & { readonly isTrial: boolean; readonly isolates: boolean })
  /** Nothing is due before `until`. `backsOff`: new records are no reason to look sooner. */
  | { readonly step: 'wait'; readonly until: number; readonly backsOff: boolean }
  /** No record waits, apart from those in flight. */
  | { readonly step: 'rest' };

/** What a pass knows when it looks for work. */
export type SchedulerState = {
  /** Request ids of batches whose call has no answer yet. */
  readonly inFlight: Pick<ReadonlySet<string>, 'has'>;
  /** Until then, the gate grants no permit for isolating. */
  readonly isolationFrom: number;
  /** Until then, the gate grants no permit for imports. */
  readonly importsFrom: number;
  /**
   * Prefer a single record that WebEngage has not refused: a whole batch should not decide about the account.
   */
  readonly probes: boolean;
  /**
   * With `probes`: which browser's record, from 0 to 1, 1 excluded. Chance decides, because the oldest
   * records may all be of a browser whose records are all refused.
   */
  readonly chance: number;
  readonly lingerMs: number;
  /** How long after a record the next one of its browser is due. */
  readonly msPerRecord: number;
  readonly dueTimes: Pick<DueTimes, 'dueFrom'>;
  readonly lanes: Pick<LaneCredits, 'owed'>;
  readonly evidence: Evidence;
};

// If this many batches of one kind fail, WebEngage is probably down. No more are cut until it recovers, so
// that records which arrive meanwhile still merge.
const MAX_FAILING = 6;

// But the batches may be at fault, and not WebEngage. So another one is tried anyway, after this time for
// each batch that fails.
const TRIAL_EVERY_MS = 10_000;

// 40 times 25 browsers: one look for work passes over up to a thousand whose next record is suspect. The next
// look continues with those after them.
const MAX_LOOKS = 40;

const KINDS: readonly RecordKind[] = ['user', 'event'];

/**
 * Chooses what to send next. A probe goes first, then sealed batches that are due, then a new batch. Parts of
 * refused batches and parked records take turns, and go before other retries.
 */
export function nextSend(sql: SqlStorage, schedulerState: SchedulerState, now: number): Work {
  const { inFlight, isolationFrom, importsFrom, probes, evidence } = schedulerState;
  const sealed = sealedBatches(sql);
  if (probes) {
    const probe = cutBatch(
      randomDeviceRuns(sql, busyDevices(sealed), schedulerState.chance),
      { lingerMs: 0, maxRecords: 1 },
      now,
    );
    if (probe.step === 'cut') return { ...probe, ...laneOfCut(probe.cut), isTrial: false, isolates: false };
  }
  const waitsForFirst = secondHalves(sealed, evidence);
  const sendable = inOrder(sealed)
    .filter(({ requestId }) => !inFlight.has(requestId) && !waitsForFirst.has(requestId))
    .map((batch) => {
      const lane = leadingLane(batch.members);
      const importableFrom = lane === 'import' ? importsFrom : 0;
      return { batch, lane, at: Math.max(batch.dueAt, batch.isolating ? isolationFrom : importableFrom) };
    });
  const due = sendable.filter(({ at }) => at <= now);
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
    ...laneOfCut(cut),
    isTrial: isTrial(cut.kind),
    isolates: true,
  });

  const parkedBefore = cutOfParked();
  // The smallest part first, so that one search ends before the next begins. Its result shortens the others.
  const part = due
    .filter(({ batch }) => batch.isolating)
    .sort((a, b) => sizeOf(a.batch) - sizeOf(b.batch))[0];
  const isPartsTurn = evidence.isolated === 'parked' || parkedBefore === undefined;
  const unrefused = probes ? due.find(({ batch }) => !wasRefused(batch)) : undefined;
  const resend = unrefused ?? (isPartsTurn ? part : undefined);
  if (resend !== undefined) return toResend(resend);
  if (parkedBefore !== undefined) return toTry(parkedBefore);
  const [first] = due;
  if (first !== undefined) return toResend(first);

  const next = kinds.length > 0 ? cutClean(sql, [...busy], schedulerState, kinds, now) : undefined;
  if (next?.step === 'cut') return { ...next, isTrial: isTrial(next.cut.kind), isolates: false };
  // `cutClean` may just have parked some.
  const parked = cutOfParked();
  if (parked !== undefined) return toTry(parked);

  const moments = [
    ...sendable.map(({ at }) => at),
    ...(next?.step === 'wait' ? [next.until] : []),
    ...(!mayIsolate && evidence.suspects.parked.size > 0 ? [isolationFrom] : []),
    ...later.map(({ at }) => at),
  ];
  return moments.length > 0
    ? { step: 'wait', until: Math.min(...moments), backsOff: kinds.length === 0 }
    : { step: 'rest' };
}

function toResend({ batch, lane }: { readonly batch: SealedBatch; readonly lane: Lane }): Work {
  return { step: 'resend', batch, lane, isolates: batch.isolating };
}

function laneOfCut({ members }: Cut): { readonly leader: Lane; readonly lane: Lane } {
  const lane = leadingLane(members);
  return { leader: lane, lane };
}

/**
 * Request ids of second halves that wait until the first half is settled. If WebEngage accepts the first, the
 * fault is in the second.
 */
function secondHalves(sealed: readonly SealedBatch[], { secondHalves }: Evidence): ReadonlySet<string> {
  // A first half that fails without being refused may take hours, so the second does not wait for it.
  const firsts = sealed.filter(({ isolating, failures }) => isolating && failures === 0);
  return new Set(firsts.flatMap(({ requestId }) => secondHalves.get(requestId)?.requestId ?? []));
}

/** The kinds with too many failing batches, and when each may be tried anyway. */
function trialsOf(
  sealed: readonly SealedBatch[],
  { takenAt, triedAt }: Evidence,
): readonly { readonly kind: RecordKind; readonly at: number }[] {
  return KINDS.flatMap((kind) => {
    // A failure before the last accepted call of the same kind says nothing about WebEngage.
    const failing = sealed.filter(
      (batch) => batch.kind === kind && batch.failures > 0 && batch.answeredAt >= takenAt[kind],
    ).length;
    return failing >= MAX_FAILING ? [{ kind, at: triedAt[kind] + failing * TRIAL_EVERY_MS }] : [];
  });
}

/**
 * Cuts a batch without suspect records. Passes over browsers whose next record is suspect, and parks them.
 */
function cutClean(
  sql: SqlStorage,
  busy: readonly string[],
  { lingerMs, msPerRecord, dueTimes, lanes, importsFrom, evidence }: SchedulerState,
  kinds: readonly RecordKind[],
  now: number,
): LaneCutStep {
  const dueFrom = (device: string) => dueTimes.dueFrom(device, now);
  const rules: LaneRules = { lingerMs, kinds, msPerRecord, dueFrom, owed: lanes.owed(), importsFrom };
  const passedOver = [...busy, ...evidence.suspects.parked.keys()];
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const next = cutLanes((lane, others) => oldestRuns(sql, lane, [...passedOver, ...others]), rules, now);
    if (next.step !== 'cut') return next;
    const { clean, leftOut } = withoutSuspects(sql, next, evidence.suspects);
    if (clean.cut.members.length > 0) return { ...next, ...clean };
    passedOver.push(...leftOut);
  }
  return { step: 'wait', until: now + Math.max(lingerMs, 1_000) };
}

const sizeOf = ({ members }: SealedBatch) => countRecords(members);

function wasRefused({ isolating, status }: SealedBatch): boolean {
  return isolating || isRefusal(status);
}

/**
 * The sealed batches that need not wait for an older record of one of their browsers in another batch. Two
 * batches share a browser if a batch was halved between two of its records, or if dead letters were requeued.
 */
function inOrder(sealed: readonly SealedBatch[]): SealedBatch[] {
  const oldest = new Map<string, { readonly seq: number; readonly from: number }>();
  for (const { members } of sealed)
    for (const { device, seq, from } of members) {
      const known = oldest.get(device);
      if (known === undefined || seq < known.seq || (seq === known.seq && from < known.from))
        oldest.set(device, { seq, from });
    }
  // A batch lists a browser's slices oldest first. If the first one is the browser's oldest of all, the batch
  // may go.
  return sealed.filter(({ members }) => {
    const firsts = new Map(members.toReversed().map((slice) => [slice.device, slice]));
    return [...firsts.values()].every(({ device, seq, from }) => {
      const first = oldest.get(device);
      return first?.seq === seq && first.from === from;
    });
  });
}

function busyDevices(sealed: readonly SealedBatch[]): string[] {
  return [...new Set(sealed.flatMap(({ members }) => members.map(({ device }) => device)))];
}
