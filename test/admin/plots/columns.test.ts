import { expect, test } from 'vitest';
import { callColumns, callTop, roundTop } from '../../../src/admin/plots/columns.ts';
import { lastFull, lastHour } from '../../../src/admin/plots/last-hour.ts';
import { minute, NOW } from '../status.ts';

const RUNNING = NOW - (NOW % 60_000);

test('an hour has sixty minutes, with zeros for idle ones', () => {
  const hour = lastHour([minute(RUNNING - 120_000, { calls: 7 }), minute(RUNNING, { calls: 1 })], NOW);

  expect(hour).toHaveLength(60);
  expect(hour.map(({ calls }) => calls).filter((calls) => calls > 0)).toEqual([7, 1]);
  expect(hour[57]).toMatchObject({ at: RUNNING - 120_000, calls: 7 });
  expect(lastFull(hour)).toMatchObject({ at: RUNNING - 60_000, calls: 0 });
});

test('a minute older than an hour is not shown', () => {
  const hour = lastHour([minute(RUNNING - 3_600_000, { calls: 7 })], NOW);

  expect(hour.every(({ calls }) => calls === 0)).toBe(true);
});

test('failed calls are stacked on accepted ones', () => {
  const hour = lastHour([minute(RUNNING - 60_000, { calls: 480, failed: 80 })], NOW);

  const { all, accepted } = callColumns(hour, 500);

  expect([all[58], accepted[58]]).toEqual([480, 400]);
  expect([all[57], accepted[57]]).toEqual([0, 0]);
});

test('one call among five hundred is visible, and so is one failed call on top of them', () => {
  const hour = lastHour(
    [minute(RUNNING - 60_000, { calls: 500, failed: 1 }), minute(RUNNING, { calls: 1 })],
    NOW,
  );

  const { all, accepted } = callColumns(hour, 500);

  expect((all[58] ?? 0) - (accepted[58] ?? 0)).toBeGreaterThan(callTop(500) / 50);
  expect(all[59]).toBeGreaterThan(callTop(500) / 100);
});

test('the limit is always inside the plot, and so is a value above it', () => {
  expect(callTop(500)).toBeGreaterThan(500);
  expect(callTop(0)).toBeGreaterThan(0);
});

test.each([
  [0, 10],
  [10, 10],
  [101, 150],
  [12_000, 15_000],
  [80_001, 100_000],
])('an axis up to %d ends at %d', (most, top) => {
  expect(roundTop(most)).toBe(top);
});
