import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import { LANES, type Lane } from '../../contract/lane.ts';
import { type CutRules, type CutStep, cutBatch } from '../queue/cut-batch.ts';
import type { Run } from '../queue/run.ts';
import { countRecords } from '../queue/sealed-batches.ts';

export type LaneCutStep =
  | (Extract<CutStep, { step: 'cut' }> & {
      /** The lane whose records come first in the batch. It pays for the call. */
      readonly leader: Lane;
      /** The most important lane with a batch that is due. The leader may go in its place. */
      readonly lane: Lane;
    })
  | Exclude<CutStep, { step: 'cut' }>;

export type LaneRules = CutRules & {
  /** Lanes that have earned the next batch, the one with the most credit first. */
  readonly owed: readonly Lane[];
  /** Until then, no batch may leave if only imports are due. */
  readonly importsFrom: number;
};

/** A lane's runs, oldest first, without those of the browsers passed over. */
export type RunsOf = (lane: Lane, passedOver: readonly string[]) => Iterable<Run>;

// The most runs of another lane that are read to fill a batch.
const FILLING_RUNS = 100;

/**
 * Cuts the next batch across lanes. The most important lane with a batch that is due leads it, unless one below
 * has earned it. The remaining room goes to records of the other lanes in their order, whether or not they have
 * lingered: a call that leaves anyway should be full.
 */
export function cutLanes(runsOf: RunsOf, rules: LaneRules, now: number): LaneCutStep {
  const waits: number[] = [];
  for (const lane of LANES) {
    const first = cutBatch(runsOf(lane, []), rules, now);
    if (first.step === 'wait') waits.push(first.until);
    if (first.step !== 'cut') continue;
    if (lane === 'import' && rules.importsFrom > now) {
      waits.push(rules.importsFrom);
      continue;
    }
    for (const leader of rules.owed.filter((each) => LANES.indexOf(each) > LANES.indexOf(lane))) {
      const led = cutBatch(runsOf(leader, []), rules, now);
      if (led.step === 'cut') return { ...filled(led, leader, runsOf, rules, now), leader, lane };
    }
    return { ...filled(first, lane, runsOf, rules, now), leader: lane, lane };
  }
  return waits.length > 0 ? { step: 'wait', until: Math.min(...waits) } : { step: 'rest' };
}

type FullCut = Extract<CutStep, { step: 'cut' }>;

function filled(
  { cut: { kind, members: led }, dueFrom: ledDueFrom }: FullCut,
  leader: Lane,
  runsOf: RunsOf,
  rules: LaneRules,
  now: number,
): FullCut {
  const members = [...led];
  const dueFrom = new Map(ledDueFrom);
  for (const lane of LANES) {
    const room = (rules.maxRecords ?? MAX_BATCH_RECORDS) - countRecords(members);
    if (lane === leader || room <= 0) continue;
    const runs = firstOf(
      FILLING_RUNS,
      runsOf(
        lane,
        members.map(({ device }) => device),
      ),
    );
    const more = cutBatch(runs, { ...rules, kinds: [kind], lingerMs: 0, maxRecords: room }, now);
    if (more.step !== 'cut') continue;
    members.push(...more.cut.members);
    for (const [device, at] of more.dueFrom) dueFrom.set(device, at);
  }
  return { step: 'cut', cut: { kind, members }, dueFrom };
}

function* firstOf(count: number, runs: Iterable<Run>): Generator<Run> {
  let read = 0;
  for (const run of runs) {
    yield run;
    read += 1;
    if (read >= count) return;
  }
}
