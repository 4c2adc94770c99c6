import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LANES, type Lane } from '../../../src/contract/lane.ts';
import {
  creditAfter,
  type LaneFloors,
  laneCredits,
  NO_CREDIT,
  owedLanes,
} from '../../../src/edge/limits/lane-credit.ts';
import { FLOORS } from '../../fakes/outbox.ts';

const BATCH = 25;
const NOTHING = { live: 0, server: 0, import: 0 };

type Call = { readonly leader: Lane; readonly records: Readonly<Record<Lane, number>> };

/** One moment: which lanes have records, and how many of each fit into a call. */
type Moment = { readonly busy: readonly Lane[]; readonly available: Readonly<Record<Lane, number>> };

/** The calls of an outbox: the most important busy lane leads, unless one below has earned it. */
function callsOf(moments: readonly Moment[], floors: LaneFloors): readonly Call[] {
  let credit = NO_CREDIT;
  return moments.map(({ busy, available }) => {
    const top = LANES.find((lane) => busy.includes(lane)) ?? 'live';
    const isBelow = (lane: Lane) => LANES.indexOf(lane) > LANES.indexOf(top);
    const leader = owedLanes(credit, floors).find((lane) => isBelow(lane) && busy.includes(lane)) ?? top;
    const records = { ...NOTHING };
    let room = BATCH;
    for (const lane of [leader, ...LANES.filter((each) => each !== leader)]) {
      if (!busy.includes(lane)) continue;
      records[lane] = Math.min(room, available[lane]);
      room -= records[lane];
    }
    credit = creditAfter(credit, floors, { leader, records }, (lane) => busy.includes(lane));
    return { leader, records };
  });
}

const floorsOfAnOperator = fc
  .tuple(fc.integer({ min: 1, max: 98 }), fc.integer({ min: 1, max: 98 }), fc.integer({ min: 1, max: 98 }))
  .filter(([live, server, imports]) => live + server + imports <= 100)
  .map(([live, server, imports]) => ({ live: live / 100, server: server / 100, import: imports / 100 }));

const moments = fc.array(
  fc.record({
    busy: fc.subarray([...LANES], { minLength: 1 }),
    available: fc.record({
      live: fc.integer({ min: 1, max: BATCH }),
      server: fc.integer({ min: 1, max: BATCH }),
      import: fc.integer({ min: 1, max: BATCH }),
    }),
    // Long stretches in which the same lanes have work.
    lasts: fc.integer({ min: 1, max: 60 }),
  }),
  { minLength: 1, maxLength: 12 },
);

/** The stretches in which a lane had records, as the calls within each. */
function stretchesOf(
  lane: Lane,
  all: readonly Moment[],
  calls: readonly Call[],
): readonly (readonly Call[])[] {
  const stretches: Call[][] = [[]];
  for (const [index, call] of calls.entries()) {
    if (all[index]?.busy.includes(lane)) stretches.at(-1)?.push(call);
    else stretches.push([]);
  }
  return stretches;
}

describe('over any time in which a lane has records', () => {
  const played = fc.tuple(moments, floorsOfAnOperator).map(([drawn, floors]) => ({
    all: drawn.flatMap(({ lasts, ...moment }) => Array<Moment>(lasts).fill(moment)),
    floors,
  }));

  test('it leads at least its floor of the calls, less two, whatever the others do', () => {
    fc.assert(
      fc.property(played, ({ all, floors }) => {
        const calls = callsOf(all, floors);
        for (const lane of LANES)
          for (const stretch of stretchesOf(lane, all, calls)) {
            // Records that rode along in calls of others count as well: the lane needed no call for them.
            const got = stretch.reduce(
              (sum, { leader, records }) => sum + (leader === lane ? BATCH : records[lane]),
              0,
            );
            expect(got).toBeGreaterThanOrEqual(floors[lane] * stretch.length * BATCH - 2 * BATCH);
          }
      }),
    );
  });

  test('a lane below live leads at most its floor of the calls and two more, as long as live has records', () => {
    fc.assert(
      fc.property(played, ({ all, floors }) => {
        const calls = callsOf(all, floors);
        for (const stretch of stretchesOf('live', all, calls))
          for (const lane of ['server', 'import'] as const) {
            const led = stretch.filter(({ leader }) => leader === lane).length;
            expect(led).toBeLessThanOrEqual(floors[lane] * stretch.length + 2);
          }
      }),
    );
  });
});

test('by default imports lead every 20th call and servers three of ten, while all lanes have records', () => {
  const always: Moment = { busy: LANES, available: { live: BATCH, server: BATCH, import: BATCH } };

  const leaders = callsOf(Array<Moment>(1_000).fill(always), FLOORS).map(({ leader }) => leader);

  const ledBy = (lane: Lane) => leaders.filter((leader) => leader === lane).length;
  // Each to within the call that it has begun to earn.
  expect(Math.abs(ledBy('import') - 50)).toBeLessThanOrEqual(1);
  expect(Math.abs(ledBy('server') - 300)).toBeLessThanOrEqual(1);
});

test('a lane that has no records keeps nothing of what it earned', () => {
  const { owed, cut } = laneCredits(FLOORS);
  const live = { ...NOTHING, live: BATCH };
  for (let call = 0; call < 19; call++) cut('live', live, () => true);
  expect(owed()).toContain('import');

  cut('live', live, (lane) => lane !== 'import');

  expect(owed()).not.toContain('import');
});

test('room that nobody else could use costs a lane nothing later', () => {
  const { owed, cut } = laneCredits(FLOORS);
  for (let call = 0; call < 100; call++) cut('live', { live: 5, server: 10, import: 10 }, () => true);

  for (let call = 0; call < 19; call++) cut('live', { ...NOTHING, live: BATCH }, () => true);

  expect(owed()).toContain('import');
  expect(owed()).toContain('server');
});

test('a lane whose records can’t go for long gets at most two calls at once after it', () => {
  const { owed, cut } = laneCredits(FLOORS);
  for (let call = 0; call < 1_000; call++) cut('live', { ...NOTHING, live: BATCH }, () => true);

  for (let call = 0; call < 2; call++) cut('import', { ...NOTHING, import: BATCH }, () => true);

  expect(owed()).not.toContain('import');
});
