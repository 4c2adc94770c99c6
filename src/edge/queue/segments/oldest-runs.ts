import { MAX_BATCH_RECORDS } from '../../../contract/batch.ts';
import { LANES, type Lane } from '../../../contract/lane.ts';
import { readTally } from '../counters/tally.ts';
import type { Run } from '../run.ts';
import { waitingRuns } from './waiting-runs.ts';

// The most runs in one view of the oldest, and the most views for one cut.
const RUNS_IN_VIEW = 1_000;
const MAX_VIEWS = 2;

// Most cuts need no more than these.
const FIRST_READ = 10;

/**
 * The oldest runs of a lane, read as far as they are needed, without those of the browsers passed over. If a few browsers
 * fill the view alone, a second view without them follows.
 */
export function* oldestRuns(sql: SqlStorage, lane: Lane, passedOver: readonly string[]): Generator<Run> {
  const shown = new Map<string, number>();
  let after: number | undefined;
  for (let view = 0; view < MAX_VIEWS; view++) {
    const crowding = [...shown]
      .filter(([, records]) => records >= MAX_BATCH_RECORDS)
      .map(([device]) => device);
    if (view > 0 && crowding.length === 0) return;
    for (const limit of [FIRST_READ, RUNS_IN_VIEW - FIRST_READ]) {
      const runs = waitingRuns(sql, lane, { after, passedOver: [...passedOver, ...crowding], limit });
      for (const run of runs) {
        yield run;
        shown.set(run.device, (shown.get(run.device) ?? 0) + run.count - run.taken);
        after = run.seq;
      }
      if (runs.length < limit) return;
    }
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
  const { nextSeq } = readTally(sql);
  const ranges = LANES.flatMap((lane) => {
    const [oldest] = waitingRuns(sql, lane, { limit: 1 });
    return oldest === undefined ? [] : [{ lane, first: oldest.seq, below: nextSeq[lane] }];
  });
  const drawn = chance * ranges.length;
  const at = Math.floor(drawn);
  for (const { lane, first, below } of [...ranges.slice(at), ...ranges.slice(0, at)]) {
    const from = first + Math.floor((drawn - at) * (below - first));
    const next = (after: number) => waitingRuns(sql, lane, { after, passedOver, limit: 1 })[0];
    const device = (next(from - 1) ?? next(first - 1))?.device;
    if (device !== undefined)
      return LANES.flatMap((each) => waitingRuns(sql, each, { device, limit: MAX_BATCH_RECORDS }));
  }
  return [];
}
