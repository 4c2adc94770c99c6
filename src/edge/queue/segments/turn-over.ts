import { LANES, type Lane } from '../../../contract/lane.ts';
import { count, readSettled, readTally } from '../counters/tally.ts';
import { countNewIds, forgetNewIds, rememberNewIds } from '../dedup/new-ids.ts';
import { laneOf } from '../lanes.ts';
import type { Run } from '../run.ts';
import { MAX_SEGMENT_AGE_MS, MAX_SEGMENT_RUNS } from './segment-limits.ts';
import { createSegment, holdRuns, type Segments, segmentsOf, storeSegments, tablesOf } from './segments.ts';
import { waitingRuns } from './waiting-runs.ts';

// So many runs may outlive their segment. If there are more, it drains further.
const MAX_LEFT = 500;

/** True if `turnOver` is due because of the runs that have come. Reads nothing. */
export function isOpenSegmentFull(sql: SqlStorage): boolean {
  return countNewIds(sql) >= MAX_SEGMENT_RUNS;
}

/** True if `turnOver` is due because of the time. */
export function isOpenSegmentOld(sql: SqlStorage, now: number): boolean {
  const ageMs = now - segmentsOf(sql).openedAt;
  // The clock may have been set back.
  return (ageMs >= MAX_SEGMENT_AGE_MS || ageMs < 0) && holdRuns(sql);
}

/**
 * Remembers the ids of the open segment's runs. If the closed segment has drained, it is also dropped, with everything in
 * it that was delivered, and a new segment takes the next runs.
 *
 * @param maxLeft how many waiting runs a segment that has drained may still contain. They move to the front
 */
export function turnOver(storage: DurableObjectStorage, now: number, maxLeft = MAX_LEFT): void {
  const { sql } = storage;
  try {
    storage.transactionSync(() => {
      const { segments, nextSeq } = readTally(sql);
      rememberNewIds(sql, segments, now);
      const left = LANES.flatMap((lane) => runsLeft(sql, segments, lane, maxLeft + 1));
      const next = { ...segments, openedAt: now, unrememberedFrom: nextSeq };
      if (left.length > maxLeft) {
        storeSegments(sql, next);
        return;
      }
      // Counted first: what has entered is read from the open segment.
      const settled = readSettled(sql).filter(([from, to]) => to >= segments.openFrom[laneOf(from)]);
      count(sql, {}, now, { settled });
      const [, closed] = tablesOf(segments);
      moveToFront(sql, closed, left);
      sql.exec(`DROP TABLE ${closed}`);
      createSegment(sql, closed);
      storeSegments(sql, { ...next, open: closed, openFrom: nextSeq, closedFrom: segments.openFrom });
    });
  } finally {
    forgetNewIds(sql);
  }
}

/** The oldest waiting runs of the closed segment. */
function runsLeft(sql: SqlStorage, { closedFrom, openFrom }: Segments, lane: Lane, limit: number): Run[] {
  return waitingRuns(sql, lane, { after: closedFrom[lane] - 1, limit }).filter(
    ({ seq }) => seq < openFrom[lane],
  );
}

function moveToFront(sql: SqlStorage, from: string, runs: readonly Run[]): void {
  const columns = 'seq, device, kind, at, count, taken, entered, unverified, records';
  if (runs.length > 0)
    sql.exec(
      `INSERT INTO run_front (${columns}) SELECT ${columns} FROM ${from} WHERE seq IN (SELECT value FROM json_each(?))`,
      JSON.stringify(runs.map(({ seq }) => seq)),
    );
}
