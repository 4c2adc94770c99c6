import { expect, test } from 'vitest';
import { lastFull, lastHour } from '../../src/admin/last-hour.js';
import { callBars, roundTop, trafficPaths } from '../../src/admin/plot-shapes.js';
import { minute, NOW } from './status.ts';

const RUNNING = NOW - (NOW % 60_000);

test('an hour has sixty minutes, with zeros where nothing happened', () => {
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

test('failed calls stand on the taken ones, within the plot', () => {
  const hour = lastHour([minute(RUNNING - 60_000, { calls: 480, failed: 80 })], NOW);

  const { top, bars } = callBars(hour, 500);

  expect(bars).toEqual([
    { kind: 'taken', running: false, x: 58.13, y: top - 400, width: 0.74, height: 400 },
    { kind: 'failed', running: false, x: 58.13, y: top - 480, width: 0.74, height: 80 },
  ]);
});

test('the limit is always in the picture, and so is more than it', () => {
  expect(callBars(lastHour([], NOW), 500).top).toBeGreaterThan(500);
  expect(callBars(lastHour([minute(RUNNING, { calls: 900 })], NOW), 500).top).toBeGreaterThan(900);
});

test('one call among five hundred allowed can be seen', () => {
  const { top, bars } = callBars(lastHour([minute(RUNNING, { calls: 1, failed: 1 })], NOW), 500);

  expect(bars).toHaveLength(1);
  expect(bars[0]).toMatchObject({ kind: 'failed', running: true });
  expect(bars[0]?.height).toBeGreaterThan(top / 50);
});

test('the running minute, which would look like a fall, is not in the lines', () => {
  const { top, delivered } = trafficPaths(
    lastHour([minute(RUNNING - 60_000, { delivered: 40 }), minute(RUNNING, { delivered: 1 })], NOW),
  );

  expect(top).toBe(40);
  expect(delivered.split('L')).toHaveLength(59);
  expect(delivered).toMatch(/L58.5 0$/);
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
