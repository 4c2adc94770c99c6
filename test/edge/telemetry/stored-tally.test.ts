import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { storedTally } from '../../../src/edge/telemetry/stored-tally.ts';
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

const newTally = () => storedTally<readonly string[]>('seen', [], (...both) => both.flat());

describe('the tally of an object', () => {
  test('writes one row for all that was added, and none for nothing', () =>
    inStorage((kv, writes) => {
      const tally = newTally();
      for (let n = 0; n < 100; n++) tally.add([`${n}`]);

      expect(tally.read(kv)).toHaveLength(100);
      expect(writes()).toBe(0);
      expect(tally.write(kv, NOW)).toHaveLength(100);
      tally.write(kv, NOW + 60_000);
      expect(writes()).toBe(1);
    }));

  test('goes on from what was stored after a restart, and loses what was not', () =>
    inStorage((kv) => {
      const first = newTally();
      first.add(['stored']);
      first.write(kv, NOW);
      first.add(['lost']);

      const restarted = newTally();
      restarted.add(['new']);

      expect(restarted.write(kv, NOW)).toEqual(['stored', 'new']);
    }));

  test('is written at most every 15 seconds if it is asked to, also after a clock was set back', () =>
    inStorage((kv, writes) => {
      const tally = newTally();
      const addAt = (inMs: number) => {
        tally.add(['one']);
        tally.writeAtMostEvery(15_000, kv, NOW + inMs);
      };

      for (let second = 0; second < 60; second++) addAt(second * 1_000);
      expect(writes()).toBe(4);
      addAt(-60_000);
      expect(writes()).toBe(5);
    }));
});
