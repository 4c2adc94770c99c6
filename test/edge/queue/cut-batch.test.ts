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

describe('a batch is cut', () => {
  test('at once if 25 records of one kind are waiting', () => {
    expect(cut([1, 2, 3, 4, 5].map((seq) => run(seq)))).toMatchObject({ step: 'cut' });
  });

  test('at once for the full kind, even if the other one is older', () => {
    const runs = [run(1, { kind: 'user', at: NOW - 400 }), run(2, { count: 25 })];

    expect(cut(runs)).toMatchObject({ step: 'cut', cut: { kind: 'event' } });
  });

  test('otherwise when the oldest record has lingered', () => {
    expect(cut([run(1), run(2, { at: NOW - 400 })])).toEqual({ step: 'wait', until: NOW + 600 });
    expect(cut([run(1), run(2, { at: NOW - 1_000 })])).toMatchObject({ step: 'cut' });
  });

  test('never if no records are waiting', () => {
    expect(cut([])).toEqual({ step: 'rest' });
  });
});

describe('a batch contains', () => {
  test('the records of many browsers, merged to 25, with part of the last run', () => {
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

  test('the rest of a run that was begun', () => {
    expect(cut([run(1, { count: 25, taken: 20, at: 0 })])).toMatchObject({
      cut: { members: [{ seq: 1, from: 20, to: 25 }] },
    });
  });

  test('the kind whose oldest record is older first', () => {
    const runs = [run(1, { kind: 'user', at: 10 }), run(2, { at: 5 })];

    expect(cut(runs)).toMatchObject({ cut: { kind: 'event' } });
  });

  test('no event of a browser before its older user record, while other browsers pass', () => {
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

test('repeated cuts send everything once, at most 25 at a time, with each browser in order', () => {
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

describe('the order of browsers', () => {
  const PACE = 1_000;
  const devicesOf = (step: ReturnType<typeof cutBatch>) =>
    step.step === 'cut' ? step.cut.members.map(({ device }) => device) : step;
  const flood = Array.from({ length: 40 }, (_, n) => run(n + 1, { device: 'flood', at: NOW - 900 + n }));
  const others = ['a', 'b', 'c'].map((device, n) => run(100 + n, { device, at: NOW - 100 + n }));

  test('puts a browser that sends faster than the pace behind the others, except for records already due', () => {
    expect(devicesOf(cutBatch([...flood, ...others], { lingerMs: LINGER, msPerRecord: PACE }, NOW))).toEqual([
      'flood',
      'a',
      'b',
      'c',
      'flood',
    ]);
  });

  test('puts a browser that has sent much behind all others, in the places they leave', () => {
    const rules = {
      lingerMs: LINGER,
      msPerRecord: PACE,
      dueFrom: (device: string) => (device === 'flood' ? NOW : 0),
    };

    expect(devicesOf(cutBatch([...flood, ...others], rules, NOW))).toEqual(['a', 'b', 'c', 'flood', 'flood']);
    expect(devicesOf(cutBatch(flood, rules, NOW))).toEqual(Array(5).fill('flood'));
  });

  test('moves a browser’s next turn back by the number of records it has sent, but not within a run', () => {
    const runs = [run(1, { device: 'a', count: 20 }), run(2, { device: 'b', count: 20 })];

    expect(cutBatch(runs, { lingerMs: LINGER, msPerRecord: PACE }, NOW)).toMatchObject({
      cut: { members: [{ device: 'a' }, { device: 'b', to: 5 }] },
      dueFrom: new Map([['a', NOW + 20 * PACE]]),
    });
  });

  test('cuts the kind whose record is due first, even if the other kind has an older one', () => {
    const rules = {
      lingerMs: LINGER,
      msPerRecord: PACE,
      dueFrom: (device: string) => (device === 'flood' ? NOW + 30_000 : 0),
    };
    const runs = [run(1, { device: 'flood', at: 0, count: 25 }), run(2, { kind: 'user', at: 10 })];

    expect(cutBatch(runs, rules, NOW)).toMatchObject({ cut: { kind: 'user' } });
  });

  test('does not make a browser behind the others linger longer if the kind that is due first is not ready', () => {
    const rules = {
      lingerMs: LINGER,
      msPerRecord: PACE,
      dueFrom: (device: string) => (device === 'flood' ? NOW + 30_000 : 0),
    };
    const runs = [run(1, { device: 'flood', at: NOW - LINGER }), run(2, { kind: 'user', at: NOW - 10 })];

    expect(cutBatch(runs, rules, NOW)).toMatchObject({ cut: { kind: 'event' } });
    expect(cutBatch(runs, rules, NOW - 1)).toEqual({ step: 'wait', until: NOW });
  });

  test('reads only the first few rows if all are due as they came, and otherwise until enough are due', () => {
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

  test('gives no browser a place before one due sooner, of the same kind and with nothing older of the other', () => {
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

  test('gives each browser with a constant backlog the same share, to within a batch', () => {
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
