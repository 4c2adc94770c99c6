import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BURST_BEGINS,
  type BurstMoment,
  burstStep,
  capacityOf,
  DRAIN_PER_SECOND,
  MAX_DATABASE_BYTES,
  simulateBurst,
} from '../bench/scale/backlog.ts';
import { fillPlaces } from '../bench/scale/document.ts';
import { simulateFill } from '../bench/scale/fill.ts';
import { backlogPlot } from '../bench/scale/plot.ts';
import { listPrice, planPrice, total, usageOf } from '../bench/scale/price.ts';
import {
  MAX_IN_FLIGHT,
  MIN_LOOK_MS,
  PASS_MS,
  SLEEP_RATHER_MS,
  SOONEST_ALARM_MS,
} from '../bench/scale/simulated-outbox.ts';
import { scaleTables } from '../bench/scale/tables.ts';

const document = await readFile('docs/reference/scale.md', 'utf8');

describe('docs/reference/scale.md', () => {
  test('has the tables that the code makes: else run `npm run bench:scale`', () => {
    expect(document).toBe(fillPlaces(document, scaleTables()));
  }, 60_000);

  test('has the plot that the code makes', async () => {
    expect(await readFile('docs/images/backlog.svg', 'utf8')).toBe(backlogPlot());
  });
});

test('the simulation has the limits of the relay', async () => {
  const declared = async (file: string, name: string) => {
    const source = await readFile(`src/edge/${file}`, 'utf8');
    const [, value = ''] = new RegExp(`const ${name} = ([\\d_]+);`).exec(source) ?? [];
    return Number(value.replaceAll('_', ''));
  };

  expect(await declared('queue/ingest.ts', 'SOONEST_ALARM_MS')).toBe(SOONEST_ALARM_MS);
  expect(await declared('queue/room.ts', 'MAX_DATABASE_BYTES')).toBe(MAX_DATABASE_BYTES);
  expect(await declared('delivery/relay-pass.ts', 'MAX_IN_FLIGHT')).toBe(MAX_IN_FLIGHT);
  expect(await declared('delivery/relay-pass.ts', 'PASS_MS')).toBe(PASS_MS);
  expect(await declared('delivery/relay-pass.ts', 'MIN_LOOK_MS')).toBe(MIN_LOOK_MS);
  expect(await declared('delivery/relay-pass.ts', 'SLEEP_RATHER_MS')).toBe(SLEEP_RATHER_MS);
});

describe('a burst', () => {
  const bursts = fc.record({
    recordsPerSecond: fc.integer({ min: 1, max: 100_000 }),
    burstSeconds: fc.integer({ min: 1, max: 600 }),
    basePerSecond: fc.integer({ min: 0, max: 150 }),
    capacity: fc.integer({ min: 100, max: 18_000_000 }),
  });

  test('loses nothing at any second: every record is sent, waits, or is kept by a browser', () => {
    fc.assert(
      fc.property(bursts, (burst) => {
        let moment: BurstMoment = BURST_BEGINS;
        for (let second = 0; second < 1_200; second++) {
          const next = burstStep(moment, burst);

          expect(next.sent + next.waiting + next.refused).toBeCloseTo(next.came, 3);
          expect(next.waiting).toBeGreaterThanOrEqual(0);
          expect(next.waiting).toBeLessThanOrEqual(burst.capacity);
          expect(next.refused).toBeGreaterThanOrEqual(0);
          expect(next.sent - moment.sent).toBeLessThanOrEqual(DRAIN_PER_SECOND + 0.001);
          moment = next;
        }
      }),
      { numRuns: 20 },
    );
  });

  test('ends once all of it has left, after the time that its excess takes', () => {
    const { atEnd, drained } = simulateBurst({
      recordsPerSecond: 1_000,
      burstSeconds: 600,
      basePerSecond: 50,
      capacity: capacityOf(1),
    });

    expect(atEnd.waiting).toBeCloseTo(600 * (1_000 - DRAIN_PER_SECOND), 3);
    expect(drained).toMatchObject({ waiting: 0, refused: 0 });
    expect(drained.second - 600).toBe(Math.ceil(atEnd.waiting / (DRAIN_PER_SECOND - 50)));
  });
});

describe('the simulated outboxes', () => {
  test.each([
    [1, 5, 1, 1_000],
    [50, 1, 16, 1_000],
    [208, 5, 4, 0],
    [400, 5, 16, 2_000],
  ])(
    'lose nothing and keep the limit at %d records a second, %d a flush, %d outboxes, %d ms',
    (...traffic) => {
      const [recordsPerSecond, recordsPerFlush, shards, lingerMs] = traffic;

      const fill = simulateFill({ recordsPerSecond, recordsPerFlush, shards, lingerMs });

      expect(fill.sent + fill.waiting).toBe(fill.came);
      expect(fill.recordsPerCall).toBeGreaterThanOrEqual(recordsPerFlush);
      expect(fill.recordsPerCall).toBeLessThanOrEqual(25);
      expect(fill.callsPerMinute).toBeLessThanOrEqual(500);
      expect(fill.permitRequestsPerMinute).toBeGreaterThanOrEqual(fill.callsPerMinute);
    },
  );

  test('use at least 95 % of the allowance during a backlog, however many they are', () => {
    for (const shards of [1, 16]) {
      const overloaded = { recordsPerSecond: 400, recordsPerFlush: 5, shards, lingerMs: 1_000 };

      expect(simulateFill(overloaded).callsPerMinute).toBeGreaterThanOrEqual(475);
    }
  });

  test('fill calls better if they are few and records linger longer', () => {
    const filled = (shards: number, lingerMs: number) =>
      simulateFill({ recordsPerSecond: 10, recordsPerFlush: 5, shards, lingerMs }).recordsPerCall;

    expect(filled(1, 1_000)).toBeGreaterThan(filled(4, 1_000));
    expect(filled(4, 1_000)).toBeGreaterThan(filled(16, 1_000));
    expect(filled(16, 5_000)).toBeGreaterThan(filled(16, 1_000));
  });
});

test('the price of a month is within the plan’s allowances and price list', () => {
  for (const rate of [1, 100, 10_000]) {
    const usage = usageOf(rate, 1, 1_000);

    expect(planPrice(usage)).toBeGreaterThanOrEqual(5);
    expect(planPrice(usage)).toBeLessThanOrEqual(5 + total(listPrice(usage)));
  }
});
