import { runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LANES, type Lane } from '../../../src/contract/lane.ts';
import { count, minutes, readTally } from '../../../src/edge/queue/counters/tally.ts';
import { deadLetters, waiting } from '../../../src/edge/queue/counters/totals.ts';
import { requeue } from '../../../src/edge/queue/dead-letters/dead-letters.ts';
import { discard, replay } from '../../../src/edge/queue/dead-letters/operate.ts';
import { ingest } from '../../../src/edge/queue/ingest.ts';
import { turnOver } from '../../../src/edge/queue/segments/turn-over.ts';
import {
  countStored,
  delivery,
  newOutbox,
  passAt,
  ROOM,
  rulingUpstream,
  SENDING_ON,
} from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const MINUTE = 60_000;

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('ingest' as const),
      device: fc.constantFrom('a', 'b', 'c'),
      lane: fc.constantFrom<Lane>(...LANES),
      poison: fc.boolean(),
      unverified: fc.boolean(),
    }),
    fc.record({
      do: fc.constantFrom(
        'pass' as const,
        'replay' as const,
        'discard' as const,
        'requeue' as const,
        'turn over' as const,
      ),
    }),
  ),
  { maxLength: 40 },
);

test('waiting records, dead letters and unverified records are counted without a scan, whatever happened', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const stub = newOutbox();
      let seq = 0;
      let unverified = 0;
      let now = NOW;
      for (const step of taken) {
        now += 7_000;
        if (step.do === 'pass')
          await passAt(
            stub,
            rulingUpstream(({ records }) =>
              records.some(({ eventName }) => eventName === 'Poison') ? 400 : 200,
            ),
            now,
          );
        else
          await runInDurableObject(stub, async (_, { storage }) => {
            if (step.do === 'turn over') turnOver(storage, now, 2);
            if (step.do === 'replay') replay(storage, { until: now }, 2, now);
            if (step.do === 'discard') discard(storage, { until: now }, 1, now);
            if (step.do === 'requeue') {
              storage.sql.exec('UPDATE dead SET proven = id % 2');
              requeue(storage, { since: NOW, until: undefined }, () => crypto.randomUUID(), now);
            }
            if (step.do !== 'ingest') return;
            const records = [1, 2, 3].map((n) =>
              eventRecord(seq + n, { eventName: step.poison && n === 2 ? 'Poison' : 'Clicked' }),
            );
            seq += 3;
            if (step.unverified) unverified += 3;
            const { device, lane, unverified: isUnverified } = step;
            const delivered = {
              ...delivery(`${device} ${lane}`, ...records),
              lane,
              unverified: isUnverified,
            };
            ingest(storage, delivered, SENDING_ON, ROOM, now);
            await storage.deleteAlarm();
          });
      }

      await runInDurableObject(stub, (_, { storage: { sql } }) => {
        const { totals, waiting: inLanes } = readTally(sql);
        const one = (query: string) => sql.exec<{ n: number }>(query).one().n;
        expect(waiting(totals)).toBe(countStored(sql));
        for (const lane of LANES) expect(inLanes[lane]).toBe(countStored(sql, lane));
        expect(deadLetters(totals)).toBe(one('SELECT COUNT(*) AS n FROM dead'));
        expect(totals.unverified).toBe(unverified);
      });
    }),
    { numRuns: 30 },
  );
});

describe('the minutes', () => {
  const countAt = (moments: readonly number[]) =>
    runInDurableObject(newOutbox(), (_, { storage: { sql } }) => {
      for (const at of moments) count(sql, { delivered: 1 }, at);
      return minutes(sql).map(({ at, totals }) => [at, totals.delivered]);
    });

  test('have one row each, with the counts until their end', async () => {
    expect(await countAt([NOW, NOW + 1, NOW + MINUTE, NOW + 5 * MINUTE])).toEqual([
      [NOW, 2],
      [NOW + MINUTE, 3],
      [NOW + 5 * MINUTE, 4],
    ]);
  });

  test('are kept for an hour, however long the outbox lives', async () => {
    const rows = await countAt(Array.from({ length: 500 }, (_, n) => NOW + n * MINUTE));

    expect(rows.length).toBeLessThanOrEqual(62);
    expect(rows.at(-1)?.[1]).toBe(500);
  });

  test('keep the last one before the hour, so that counts after a quiet night are right', async () => {
    expect(await countAt([NOW - 600 * MINUTE, NOW - 500 * MINUTE, NOW, NOW + MINUTE])).toEqual([
      [NOW - 500 * MINUTE, 2],
      [NOW, 3],
      [NOW + MINUTE, 4],
    ]);
  });

  test('go on counting in the latest one after the clock was set back', async () => {
    expect(await countAt([NOW, NOW - 10 * MINUTE])).toEqual([[NOW, 2]]);
  });
});
