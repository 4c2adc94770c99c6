import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import { LANES, type Lane } from '../../contract/lane.ts';

type ByLane = Readonly<Record<Lane, number>>;

/** Each lane's floor: its share of the calls while it has records, from 0 to 1. Together at most 1. */
export type LaneFloors = ByLane;

/** What each lane has earned of the next calls and not used yet, in records. */
export type LaneCredit = ByLane;

export const NO_CREDIT: LaneCredit = { live: 0, server: 0, import: 0 };

// The most that a lane keeps if its records can't be sent, because their browsers have others in flight.
const MOST_CREDIT = 2 * MAX_BATCH_RECORDS;

/**
 * The lanes that have earned the next call, the one with most credit first. Any other call belongs to
 * the most important lane.
 */
export function owedLanes(credit: LaneCredit, floors: LaneFloors): readonly Lane[] {
  return LANES.filter((lane) => credit[lane] + earned(floors, lane) >= MAX_BATCH_RECORDS).sort(
    (a, b) => credit[b] - credit[a],
  );
}

/**
 * The credit after a call. Each lane with records earns its floor of it. The one that led pays for the whole
 * call, even if its records did not fill it. Others pay for theirs, but never go into debt: room that nobody else
 * could use costs nothing later. A lane without records keeps nothing.
 */
export function creditAfter(
  credit: LaneCredit,
  floors: LaneFloors,
  { leader, records }: { readonly leader: Lane; readonly records: ByLane },
  hasWork: (lane: Lane) => boolean,
): LaneCredit {
  const after = (lane: Lane) => {
    if (!hasWork(lane)) return 0;
    const paid = lane === leader ? MAX_BATCH_RECORDS : records[lane];
    return Math.min(MOST_CREDIT, Math.max(0, credit[lane] + earned(floors, lane) - paid));
  };
  return { live: after('live'), server: after('server'), import: after('import') };
}

function earned(floors: LaneFloors, lane: Lane): number {
  return floors[lane] * MAX_BATCH_RECORDS;
}

/** The credit of one outbox. In memory: after an eviction, all lanes start afresh. */
export type LaneCredits = {
  readonly owed: () => readonly Lane[];
  /** Charges a call to the lane that leads it and to others with records in it. */
  readonly cut: (leader: Lane, records: ByLane, hasWork: (lane: Lane) => boolean) => void;
};

export function laneCredits(floors: LaneFloors): LaneCredits {
  let credit = NO_CREDIT;
  return {
    owed: () => owedLanes(credit, floors),
    cut: (leader, records, hasWork) => {
      credit = creditAfter(credit, floors, { leader, records }, hasWork);
    },
  };
}
