import { expect, test } from 'vitest';
import { flushSchedule } from '../../../src/tracker/delivery/flush-schedule.ts';
import type { FlushEnd } from '../../../src/tracker/delivery/next-step.ts';
import { fakeTime } from '../../fakes/platform.ts';
import { settled } from '../../fakes/settled.ts';

const LIMITS = { batchSize: 25, maxWaitMs: 5_000 };

function scheduleWith(...ends: (FlushEnd | Error)[]) {
  const time = fakeTime();
  let runs = 0;
  const run = async () => {
    const end = ends[runs++] ?? { step: 'rest', forMs: undefined };
    if (end instanceof Error) throw end;
    return end;
  };
  return { schedule: flushSchedule(run, time.timer, LIMITS), time, runs: () => runs };
}

test('a few records wait for others, a full batch does not', async () => {
  const few = scheduleWith();
  few.schedule.appended(3);
  await few.time.pass(4_999);
  expect(few.runs()).toBe(0);
  await few.time.pass(1);
  expect(few.runs()).toBe(1);

  const full = scheduleWith();
  full.schedule.appended(25);
  await settled();
  expect(full.runs()).toBe(1);
});

test('later records do not put off the first', async () => {
  const { schedule, time, runs } = scheduleWith();

  schedule.appended(1);
  await time.pass(3_000);
  schedule.appended(2);
  await time.pass(2_000);

  expect(runs()).toBe(1);
});

test('while a flush has to wait, full batches do not start another', async () => {
  const { schedule, time, runs } = scheduleWith({
    step: 'wait',
    forMs: 60_000,
    reason: 'rate_limited',
    oldestAgeMs: 0,
  });
  await schedule.now();

  schedule.appended(25);
  schedule.appended(50);
  await time.pass(59_999);
  expect(runs()).toBe(1);

  await time.pass(1);
  expect(runs()).toBe(2);
});

test('a flush that fails by itself is tried again', async () => {
  const { schedule, time, runs } = scheduleWith(new Error('a fault of ours'));

  await schedule.now();
  await time.pass(30_000);

  expect(runs()).toBe(2);
});

test('a wait longer than a timer can hold does not end at once', async () => {
  const { schedule, time, runs } = scheduleWith({
    step: 'wait',
    forMs: 1e12,
    reason: 'rate_limited',
    oldestAgeMs: 0,
  });

  await schedule.now();
  await time.pass(86_400_000);

  expect(runs()).toBe(1);
});

/** A run that ends when told to. */
function heldRuns() {
  const time = fakeTime();
  const ends: ((end: FlushEnd) => void)[] = [];
  const schedule = flushSchedule(() => new Promise((resolve) => ends.push(resolve)), time.timer, LIMITS);
  return { schedule, time, ends };
}

test('a record appended while a flush ends is not forgotten: it may have looked before', async () => {
  const { schedule, time, ends } = heldRuns();
  void schedule.now();

  schedule.appended(1);
  ends[0]?.({ step: 'rest', forMs: undefined });
  await time.pass(5_000);

  expect(ends).toHaveLength(2);
});

test('however many appends come during a flush, one more follows it', async () => {
  const { schedule, ends } = heldRuns();
  void schedule.now();

  for (let n = 0; n < 500; n++) schedule.appended(25 + n);
  for (let n = 0; n < 500; n++) void schedule.now();
  ends[0]?.({ step: 'rest', forMs: undefined });
  await settled();
  expect(ends).toHaveLength(2);

  ends[1]?.({ step: 'rest', forMs: undefined });
  await settled();
  expect(ends).toHaveLength(2);
});
