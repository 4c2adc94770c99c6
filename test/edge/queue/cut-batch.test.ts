import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueTimes } from '../../../src/edge/limits/fair-queue.ts';
import { cutBatch } from '../../../src/edge/queue/cut-batch.ts';
import type { Run } from '../../../src/edge/queue/run.ts';

const NOW = 100_000;
const LINGER = 1_000;

function run(seq: number, fields: Partial<Run> = {}): Run {
  return { seq, device: `d${seq}`, kind: 'event', at: NOW, count: 5, taken: 0, ...fields };
}

const cut = (runs: readonly Run[], now = NOW) => cutBatch(runs, { lingerMs: LINGER }, now);

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

    expect(cut(runs)).toMatchObject({
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

describe('who first', () => {
  const PACE = 1_000;
  const devicesOf = (step: ReturnType<typeof cutBatch>) =>
    step.step === 'cut' ? step.cut.members.map(({ device }) => device) : step;
  const flood = Array.from({ length: 40 }, (_, n) => run(n + 1, { device: 'flood', at: NOW - 900 + n }));
  const others = ['a', 'b', 'c'].map((device, n) => run(100 + n, { device, at: NOW - 100 + n }));

  test('a browser that sends faster than the pace comes behind those that do not, but for what was due before', () => {
    expect(devicesOf(cutBatch([...flood, ...others], { lingerMs: LINGER, msPerRecord: PACE }, NOW))).toEqual([
      'flood',
      'a',
      'b',
      'c',
      'flood',
    ]);
  });

  test('one that has been sent on much comes behind all of them, and gets the places that they leave', () => {
    const rules = {
      lingerMs: LINGER,
      msPerRecord: PACE,
      dueFrom: (device: string) => (device === 'flood' ? NOW : 0),
    };

    expect(devicesOf(cutBatch([...flood, ...others], rules, NOW))).toEqual(['a', 'b', 'c', 'flood', 'flood']);
    expect(devicesOf(cutBatch(flood, rules, NOW))).toEqual(Array(5).fill('flood'));
  });

  test('its next turn is by as many records later as it has sent; while a run is not at its end, as before', () => {
    const runs = [run(1, { device: 'a', count: 20 }), run(2, { device: 'b', count: 20 })];

    expect(cutBatch(runs, { lingerMs: LINGER, msPerRecord: PACE }, NOW)).toMatchObject({
      cut: { members: [{ device: 'a' }, { device: 'b', to: 5 }] },
      dueFrom: new Map([['a', NOW + 20 * PACE]]),
    });
  });

  test('the kind of which a record is due first, though there is an older one of the other', () => {
    const rules = {
      lingerMs: LINGER,
      msPerRecord: PACE,
      dueFrom: (device: string) => (device === 'flood' ? NOW + 30_000 : 0),
    };
    const runs = [run(1, { device: 'flood', at: 0, count: 25 }), run(2, { kind: 'user', at: 10 })];

    expect(cutBatch(runs, rules, NOW)).toMatchObject({ cut: { kind: 'user' } });
  });

  test('who comes behind others does not linger longer for it, where the kind that is due first is not ready', () => {
    const rules = {
      lingerMs: LINGER,
      msPerRecord: PACE,
      dueFrom: (device: string) => (device === 'flood' ? NOW + 30_000 : 0),
    };
    const runs = [run(1, { device: 'flood', at: NOW - LINGER }), run(2, { kind: 'user', at: NOW - 10 })];

    expect(cutBatch(runs, rules, NOW)).toMatchObject({ cut: { kind: 'event' } });
    expect(cutBatch(runs, rules, NOW - 1)).toEqual({ step: 'wait', until: NOW });
  });

  test('no more is read than it takes: the first few where all are due as they came, else until enough are', () => {
    let read = 0;
    function* counted(runs: readonly Run[]) {
      for (const each of runs) {
        read += 1;
        yield each;
      }
    }
    const many = Array.from({ length: 500 }, (_, n) => run(1_000 + n));

    cutBatch(counted(many), { lingerMs: LINGER, msPerRecord: PACE }, NOW);
    expect(read).toBe(5);

    read = 0;
    cutBatch(counted([...flood, ...many]), { lingerMs: LINGER, msPerRecord: PACE }, NOW);
    expect(read).toBe(40 + 4);
  });

  const anyPace = fc.record({
    msPerRecord: fc.constantFrom(0, 1, 100, 10_000),
    dueFrom: fc.record({
      a: fc.nat(2 * NOW),
      b: fc.nat(2 * NOW),
      c: fc.constant(0),
      d: fc.constant(0),
    }),
  });

  test('nobody gets a place before one who is due sooner, of the same kind and with nothing of the other before it', () => {
    fc.assert(
      fc.property(anyRuns, anyPace, (unsorted, { msPerRecord, dueFrom }) => {
        const at = unsorted.map((each) => each.at).sort((x, y) => x - y);
        const runs = unsorted.map((each, index) => ({ ...each, at: at[index] ?? 0 }));
        const dueOf = (device: string) => (dueFrom as Readonly<Record<string, number>>)[device] ?? 0;

        const step = cutBatch(runs, { lingerMs: 0, msPerRecord, dueFrom: dueOf }, NOW);

        fc.pre(step.step === 'cut');
        const { kind, members } = step.cut;
        const due = new Map<string, number>();
        const waiting = runs.flatMap((each) => {
          const firstOther = runs.find(({ device, kind: other }) => device === each.device && other !== kind);
          if (each.kind !== kind || (firstOther !== undefined && firstOther.seq < each.seq)) return [];
          const dueAt = Math.max(each.at, due.get(each.device) ?? dueOf(each.device));
          due.set(each.device, dueAt + each.count * msPerRecord);
          return [{ ...each, dueAt }];
        });
        const inOrder = waiting.sort((x, y) => x.dueAt - y.dueAt || x.seq - y.seq);
        expect(members.map(({ seq }) => seq)).toEqual(inOrder.slice(0, members.length).map(({ seq }) => seq));
        const places = members.reduce((sum, { from, to }) => sum + to - from, 0);
        expect(places).toBe(
          Math.min(
            25,
            inOrder.reduce((sum, { count }) => sum + count, 0),
          ),
        );
        // Whole runs, but for the last.
        for (const { seq, to } of members.slice(0, -1))
          expect(to).toBe(runs.find((each) => each.seq === seq)?.count);
      }),
    );
  });

  test('of browsers that have always something waiting each gets as much, to a batch, whatever it has', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 2, maxLength: 12 }), (sizes) => {
        const known = dueTimes();
        const got = new Map<string, number>();
        let seq = 0;
        const queues = sizes.map((count, n) =>
          Array.from({ length: 200 }, () => run(++seq, { device: `d${n}`, count, at: 0 })),
        );
        for (let calls = 0; calls < 8 * sizes.length; calls++) {
          const runs = queues.flatMap((queue) => queue.slice(0, 25)).sort((a, b) => a.seq - b.seq);
          const dueFrom = (device: string) => known.dueFrom(device, NOW);
          const step = cutBatch(runs, { lingerMs: 0, msPerRecord: 1, dueFrom }, NOW);
          if (step.step !== 'cut') throw new Error('nothing waits');
          known.put(step.dueFrom, NOW);
          for (const { device, from, to } of step.cut.members) {
            got.set(device, (got.get(device) ?? 0) + to - from);
            const queue = queues[Number(device.slice(1))] ?? [];
            const [head] = queue;
            if (head !== undefined && head.count === to) queue.shift();
            else if (head !== undefined) queue[0] = { ...head, taken: to };
          }
        }

        const amounts = sizes.map((_, n) => got.get(`d${n}`) ?? 0);
        expect(Math.max(...amounts) - Math.min(...amounts)).toBeLessThanOrEqual(50);
      }),
    );
  });
});
