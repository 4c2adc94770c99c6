import { expect, test } from 'vitest';
import type { FlushEnd } from '../../src/tracker/flush.ts';
import { flushSchedule } from '../../src/tracker/flush-schedule.ts';
import { fakeTime, settled } from '../fakes/platform.ts';

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
  const { schedule, time, runs } = scheduleWith({ step: 'wait', forMs: 60_000, reason: 'rate_limited' });
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
  const { schedule, time, runs } = scheduleWith({ step: 'wait', forMs: 1e12, reason: 'rate_limited' });

  await schedule.now();
  await time.pass(86_400_000);

  expect(runs()).toBe(1);
});
