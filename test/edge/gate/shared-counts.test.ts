import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addCounts,
  countTally,
  lastCounts,
  NO_COUNTS,
  type SharedCounts,
} from '../../../src/edge/gate/shared-counts.ts';

const MINUTE = 60_000;
const NOW = Date.parse('2026-11-23T12:00:30Z');

/** An object's storage, and how often it was written to. */
function fakeStorage() {
  const kept = new Map<string, unknown>();
  let writes = 0;
  return {
    get: <T>(key: string) => kept.get(key) as T | undefined,
    put: (key: string, value: SharedCounts) => {
      kept.set(key, structuredClone(value));
      writes += 1;
    },
    writes: () => writes,
  };
}

test('the last minutes are counted by minute, and the current one counts', () => {
  const counts = [90, 59, 5, 0].reduce(
    (all, minutesAgo) =>
      addCounts(all, { records: 10 ** Math.ceil(minutesAgo / 30) }, NOW - minutesAgo * MINUTE),
    NO_COUNTS,
  );

  expect(counts.total).toEqual({ records: 1_000 + 100 + 10 + 1 });
  expect(lastCounts(counts, 60, NOW)).toEqual({ records: 111 });
  expect(lastCounts(counts, 6, NOW)).toEqual({ records: 11 });
  expect(lastCounts(counts, 1, NOW)).toEqual({ records: 1 });
  expect(lastCounts(counts, 60, NOW + 61 * MINUTE)).toEqual({});
});

test('a clock that is set back loses nothing of the total, and counts no minute of the future', () => {
  const ahead = addCounts(NO_COUNTS, { records: 5 }, NOW + 10 * MINUTE);

  const counts = addCounts(ahead, { records: 1 }, NOW);

  expect(counts.total).toEqual({ records: 6 });
  expect(lastCounts(counts, 60, NOW)).toEqual({ records: 1 });
});

test('the total is the sum of all counts at any times, and at most an hour is kept by minute', () => {
  const counted = fc.array(
    fc.record({
      counts: fc.dictionary(
        fc.constantFrom('user_agent', 'webdriver', '__proto__', 'constructor'),
        fc.nat(1_000),
      ),
      afterMs: fc.integer({ min: -MINUTE, max: 30 * MINUTE }),
    }),
  );
  fc.assert(
    fc.property(counted, (all) => {
      let now = NOW;
      let counts = NO_COUNTS;
      for (const each of all) {
        now += each.afterMs;
        counts = addCounts(counts, each.counts, now);
      }

      for (const name of ['user_agent', 'webdriver', '__proto__', 'constructor']) {
        const own = (from: object) => Number(Object.getOwnPropertyDescriptor(from, name)?.value ?? 0);
        expect(own(counts.total)).toBe(all.reduce((sum, each) => sum + own(each.counts), 0));
      }
      expect(counts.minutes.length).toBeLessThanOrEqual(60);
    }),
  );
});

test('however many reports come in, the tally writes once a minute, and reads what is not written yet', () => {
  const storage = fakeStorage();
  const tally = countTally('bots');

  for (let second = 0; second < 150; second++) tally.add(storage, { records: 2 }, NOW + second * 1_000);

  expect(storage.writes()).toBe(3);
  expect(tally.read(storage).total).toEqual({ records: 300 });
  // Another object of that name begins with what is written.
  expect(countTally('bots').read(storage).total).toEqual({ records: 242 });
});

test('a clock that is set back does not keep the tally from writing', () => {
  const storage = fakeStorage();
  const tally = countTally('bots');

  tally.add(storage, { records: 1 }, NOW);
  tally.add(storage, { records: 1 }, NOW - 10 * MINUTE);

  expect(storage.writes()).toBe(2);
});
