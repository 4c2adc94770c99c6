import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LANES, type Lane } from '../../../src/contract/lane.ts';
import { cutLanes, type LaneRules, type RunsOf } from '../../../src/edge/delivery/cut-lanes.ts';
import { firstSeq, laneOf } from '../../../src/edge/queue/lanes.ts';
import type { Run } from '../../../src/edge/queue/run.ts';

const NOW = 100_000;
const LINGER = 1_000;
const RULES: LaneRules = { lingerMs: LINGER, owed: [], importsFrom: 0 };

function run(lane: Lane, n: number, fields: Partial<Run> = {}): Run {
  const seq = firstSeq(lane) + n;
  return { seq, device: `${lane} ${n}`, kind: 'event', at: NOW - LINGER, count: 5, taken: 0, ...fields };
}

const of =
  (runs: readonly Run[]): RunsOf =>
  (lane, passedOver) =>
    runs.filter(({ seq, device }) => laneOf(seq) === lane && !passedOver.includes(device));

const cut = (runs: readonly Run[], rules: Partial<LaneRules> = {}, now = NOW) =>
  cutLanes(of(runs), { ...RULES, ...rules }, now);

const devicesOf = (step: ReturnType<typeof cutLanes>) =>
  step.step === 'cut' ? step.cut.members.map(({ device }) => device) : step.step;

describe('a batch is led by', () => {
  const full = LANES.map((lane) => run(lane, 1, { count: 25 }));

  test('the most important lane with a batch that is due', () => {
    expect(cut(full)).toMatchObject({ leader: 'live', lane: 'live' });
    expect(cut(full.slice(1))).toMatchObject({ leader: 'server', lane: 'server' });
    expect(cut(full.slice(2))).toMatchObject({ leader: 'import', lane: 'import' });
  });

  test('a lane below that has earned it, in the place of the more important one', () => {
    expect(cut(full, { owed: ['import'] })).toMatchObject({ leader: 'import', lane: 'live' });
    expect(cut(full.slice(1), { owed: ['import', 'server'] })).toMatchObject({
      leader: 'import',
      lane: 'server',
    });
  });

  test('the next lane, if the one that has earned it has nothing due', () => {
    expect(cut(full.slice(0, 2), { owed: ['import', 'server'] })).toMatchObject({ leader: 'server' });
    expect(cut(full.slice(0, 1), { owed: ['import', 'server'] })).toMatchObject({ leader: 'live' });
  });

  test('a lane below, while the records of those above linger', () => {
    const lingering = run('live', 1, { at: NOW });

    expect(cut([lingering, run('import', 1)])).toMatchObject({ leader: 'import', lane: 'import' });
  });

  test('an import only from when the gate grants imports, or in the place of another lane', () => {
    const importsFrom = NOW + 300;

    expect(cut(full.slice(2), { importsFrom })).toEqual({ step: 'wait', until: importsFrom });
    expect(cut(full, { importsFrom, owed: ['import'] })).toMatchObject({ leader: 'import', lane: 'live' });
  });
});

describe('room that is left', () => {
  test('goes to the other lanes in their order', () => {
    expect(devicesOf(cut([run('import', 1), run('server', 1), run('live', 1)]))).toEqual([
      'live 1',
      'server 1',
      'import 1',
    ]);
  });

  test('goes to live records that have not lingered: a call that leaves anyway should be full', () => {
    expect(devicesOf(cut([run('server', 1), run('live', 1, { at: NOW })]))).toEqual(['server 1', 'live 1']);
  });

  test('takes part of a run', () => {
    expect(cut([run('live', 1, { count: 20 }), run('server', 1, { count: 20 })])).toMatchObject({
      cut: { members: [{ to: 20 }, { from: 0, to: 5 }] },
    });
  });

  test('goes to no records of the other kind, and to none behind one of it', () => {
    const runs = [
      run('live', 1),
      run('server', 1, { device: 'd', kind: 'user' }),
      run('server', 2, { device: 'd' }),
    ];

    expect(devicesOf(cut(runs))).toEqual(['live 1']);
  });

  test('goes to no device that is in the batch already', () => {
    expect(devicesOf(cut([run('live', 1, { device: 'd' }), run('server', 1, { device: 'd' })]))).toEqual([
      'd',
    ]);
  });
});

test('a pass waits for the lane whose records are due first, and rests without records', () => {
  expect(cut([run('live', 1, { at: NOW }), run('import', 1, { at: NOW - 400 })])).toEqual({
    step: 'wait',
    until: NOW + 600,
  });
  expect(cut([])).toEqual({ step: 'rest' });
});

const anyRuns = fc
  .array(
    fc.record({
      lane: fc.constantFrom(...LANES),
      device: fc.constantFrom('a', 'b', 'c'),
      kind: fc.constantFrom<Run['kind']>('user', 'event'),
      at: fc.integer({ min: 0, max: NOW }),
      count: fc.integer({ min: 1, max: 40 }),
    }),
    { maxLength: 40 },
  )
  .map((all) =>
    all.map(({ lane, device, ...fields }, n) => run(lane, n + 1, { device: `${lane} ${device}`, ...fields })),
  );

test('repeated cuts send everything once, with each device in order, and leave no room that a record could take', () => {
  fc.assert(
    fc.property(anyRuns, fc.array(fc.subarray(['server', 'import'] as const)), (all, owedInTurn) => {
      let runs = all;
      const sent: string[] = [];
      for (let turn = 0; ; turn++) {
        const step = cut(runs, { owed: owedInTurn[turn] ?? [] }, 2 * NOW);
        if (step.step !== 'cut') break;
        const { kind, members } = step.cut;
        const size = members.reduce((sum, { from, to }) => sum + to - from, 0);
        expect(size).toBeLessThanOrEqual(25);
        const fits = runs.filter(
          (each, index) =>
            each.kind === kind &&
            !members.some(({ device }) => device === each.device) &&
            !runs.slice(0, index).some(({ device }) => device === each.device),
        );
        if (size < 25) expect(fits).toEqual([]);
        for (const { seq, from, to } of members)
          for (let index = from; index < to; index++) sent.push(`${seq}.${index}`);
        const taken = new Map(members.map(({ seq, to }) => [seq, to]));
        runs = runs
          .map((before) => ({ ...before, taken: taken.get(before.seq) ?? before.taken }))
          .filter((after) => after.taken < after.count);
      }

      for (const device of new Set(all.map((each) => each.device))) {
        const made = all
          .filter((each) => each.device === device)
          .flatMap(({ seq, count }) => Array.from({ length: count }, (_, index) => `${seq}.${index}`));
        expect(sent.filter((id) => made.includes(id))).toEqual(made);
      }
      expect(sent).toHaveLength(all.reduce((sum, { count }) => sum + count, 0));
    }),
  );
});
