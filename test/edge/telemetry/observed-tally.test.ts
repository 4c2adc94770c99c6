import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { answeredIn, type Observations, refusedFor } from '../../../src/edge/telemetry/observations.ts';
import { observedTally } from '../../../src/edge/telemetry/observed-tally.ts';
import { observer } from '../../../src/edge/telemetry/observer.ts';
import { newOutbox } from '../../fakes/outbox.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

/** Storage that counts what is written to it. */
function inStorage(act: (kv: SyncKvStorage, writes: () => number) => void): Promise<void> {
  return runInDurableObject(newOutbox(), (_, { storage }) => {
    let writes = 0;
    const { kv } = storage;
    const counting = {
      get: <T>(key: string) => kv.get<T>(key),
      put: (key: string, value: unknown) => {
        writes += 1;
        kv.put(key, value);
      },
    };
    act(counting as SyncKvStorage, () => writes);
  });
}

describe('the tally of an object', () => {
  test('writes one row for all that was added, and none for nothing', () =>
    inStorage((kv, writes) => {
      const tally = observedTally();
      for (let n = 0; n < 100; n++) tally.add(answeredIn(n));

      expect(tally.write(kv, NOW).answered.counts.slice(0, 4)).toEqual([11, 15, 25, 49]);
      tally.write(kv, NOW + 60_000);
      expect(writes()).toBe(1);
    }));

  test('goes on from what was stored after a restart, and loses what was not', () =>
    inStorage((kv) => {
      const first = observedTally();
      first.add(refusedFor('too_large'));
      first.write(kv, NOW);
      first.add(refusedFor('too_large'));

      const restarted = observedTally();
      restarted.add(refusedFor('too_slow'));

      expect(restarted.write(kv, NOW).refused).toEqual({ too_large: 1, too_slow: 1 });
    }));

  test('is written by a pass at most every 15 seconds', () =>
    inStorage((kv, writes) => {
      const tally = observedTally();
      for (let second = 0; second < 60; second++) {
        tally.add(answeredIn(10));
        tally.writeAfterPass(kv, NOW + second * 1_000);
      }

      expect(writes()).toBe(4);
    }));
});

describe('an isolate of the Worker', () => {
  test('hands over everything once, with the next batch that is stored', async () => {
    const { observe, carry } = observer();
    observe(answeredIn(10));
    const carried: unknown[] = [];
    const ingest = (stored: boolean) => async (seen: Observations | undefined) => {
      carried.push(seen?.answered.counts[0]);
      return { stored };
    };

    await carry(ingest(false));
    await carry(() => Promise.reject(new Error('gone'))).catch(() => {});
    observe(answeredIn(5));
    await carry(ingest(true));
    await carry(ingest(true));

    expect(carried).toEqual([1, 2, undefined]);
  });

  test('reports refusals by itself, the first at once and others once a minute', async () => {
    const { observe, report } = observer();
    const reports: unknown[] = [];
    const at = async (inMs: number) => {
      observe(refusedFor('rate_limited'));
      await report(async ({ refused }) => void reports.push(refused), NOW + inMs);
    };

    await at(0);
    await at(1_000);
    await at(59_999);
    await at(60_000);

    expect(reports).toEqual([{ rate_limited: 1 }, { rate_limited: 3 }]);
  });

  test('keeps what it could not report', async () => {
    const { observe, report } = observer();
    const reports: unknown[] = [];
    observe(refusedFor('unavailable'));

    await report(() => Promise.reject(new Error('gone')), NOW);
    await report(async ({ refused }) => void reports.push(refused), NOW + 60_000);

    expect(reports).toEqual([{ unavailable: 1 }]);
  });

  test('makes no call for answers alone, which go along with the next batch', () => {
    const { observe, report } = observer();
    observe(answeredIn(10));

    expect(report(async () => {}, NOW)).toBeUndefined();
  });
});
