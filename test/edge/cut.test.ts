import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutBatch } from '../../src/edge/cut.ts';
import type { Run } from '../../src/edge/run.ts';

const NOW = 100_000;
const LINGER = 1_000;

function run(seq: number, fields: Partial<Run> = {}): Run {
  return { seq, device: `d${seq}`, kind: 'event', at: NOW, count: 5, taken: 0, ...fields };
}

const cut = (runs: readonly Run[], now = NOW) => cutBatch(runs, LINGER, now);

describe('when', () => {
  test('at once, where 25 of one kind are there', () => {
    expect(cut([1, 2, 3, 4, 5].map((seq) => run(seq)))).toMatchObject({ step: 'cut' });
  });

  test('at once for the kind that is full, though the other is older', () => {
    const runs = [run(1, { kind: 'user', at: NOW - 400 }), run(2, { count: 25 })];

    expect(cut(runs)).toMatchObject({ step: 'cut', cut: { kind: 'event' } });
  });

  test('else when the oldest has lingered', () => {
    expect(cut([run(1), run(2, { at: NOW - 400 })])).toEqual({ step: 'wait', until: NOW + 600 });
    expect(cut([run(1), run(2, { at: NOW - 1_000 })])).toMatchObject({ step: 'cut' });
  });

  test('never, where nothing waits', () => {
    expect(cut([])).toEqual({ step: 'rest' });
  });
});

describe('what', () => {
  test('the records of many browsers, merged to 25; of the last run a part', () => {
    const runs = [run(1, { count: 10 }), run(2, { count: 10 }), run(3, { count: 10 })];

    expect(cut(runs)).toEqual({
      step: 'cut',
      cut: {
        kind: 'event',
        members: [
          { seq: 1, device: 'd1', from: 0, to: 10 },
          { seq: 2, device: 'd2', from: 0, to: 10 },
          { seq: 3, device: 'd3', from: 0, to: 5 },
        ],
      },
    });
  });

  test('of a run that was begun, the rest', () => {
    expect(cut([run(1, { count: 25, taken: 20, at: 0 })])).toMatchObject({
      cut: { members: [{ seq: 1, from: 20, to: 25 }] },
    });
  });

  test('the kind whose oldest is older first', () => {
    const runs = [run(1, { kind: 'user', at: 10 }), run(2, { at: 5 })];

    expect(cut(runs)).toMatchObject({ cut: { kind: 'event' } });
  });

  test('no event of a browser before its older user record, which goes first; others pass', () => {
    const runs = [
      run(1, { device: 'a', kind: 'user', at: 10, count: 1 }),
      run(2, { device: 'a', at: 10, count: 24 }),
      run(3, { device: 'b', at: 10, count: 25 }),
    ];

    expect(cut(runs)).toMatchObject({ cut: { kind: 'user', members: [{ seq: 1 }] } });
    expect(cut(runs.slice(1))).toMatchObject({
      cut: { kind: 'event', members: [{ seq: 2 }, { seq: 3, to: 1 }] },
    });
  });
});

const anyRuns = fc
  .array(
    fc.record({
      device: fc.constantFrom('a', 'b', 'c', 'd'),
      kind: fc.constantFrom<Run['kind']>('user', 'event'),
      at: fc.integer({ min: 0, max: NOW }),
      count: fc.integer({ min: 1, max: 25 }),
    }),
    { maxLength: 30 },
  )
  .map((runs) => runs.map((fields, index) => run(index + 1, fields)));

test('cut again and again, everything goes once, at most 25 at a time, each browser’s in its order', () => {
  fc.assert(
    fc.property(anyRuns, (all) => {
      let runs = all;
      const sent: string[] = [];
      for (let step = cut(runs, 2 * NOW); step.step === 'cut'; step = cut(runs, 2 * NOW)) {
        const { members } = step.cut;
        expect(members.reduce((sum, { from, to }) => sum + to - from, 0)).toBeLessThanOrEqual(25);
        for (const { seq, from, to } of members)
          for (let index = from; index < to; index++) sent.push(`${seq}.${index}`);
        const taken = new Map(members.map(({ seq, to }) => [seq, to]));
        runs = runs
          .map((before) => ({ ...before, taken: taken.get(before.seq) ?? before.taken }))
          .filter((after) => after.taken < after.count);
      }

      for (const device of ['a', 'b', 'c', 'd']) {
        const made = all
          .filter((of) => of.device === device)
          .flatMap(({ seq, count }) => Array.from({ length: count }, (_, index) => `${seq}.${index}`));
        expect(sent.filter((id) => made.includes(id))).toEqual(made);
      }
      expect(sent).toHaveLength(all.reduce((sum, { count }) => sum + count, 0));
    }),
  );
});
