import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTracker } from '../../../src/tracker/index.ts';
import type { Entry, StoredEntry } from '../../../src/tracker/record/call.ts';
import type { Disposition } from '../../../src/tracker/record/outcome.ts';
import { withFallback } from '../../../src/tracker/store/fallback-store.ts';
import { indexedDbStore } from '../../../src/tracker/store/indexed-db-store.ts';
import type { RecordStore } from '../../../src/tracker/store/record-store.ts';
import { statsOf } from '../../../src/tracker/store/stats.ts';
import { idOf, storedEntry } from '../../fakes/records.ts';

const newName = () => `test ${crypto.randomUUID()}`;

/** An event as it is appended. */
function entry(seq: number): Entry {
  const { key: _, ...call } = storedEntry(seq, { at: seq });
  return call;
}

const entries = (from: number, to: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, index) => entry(from + index));

const appendTo = (store: RecordStore, added: readonly Entry[]) =>
  store.append((kept) => ({ ...kept, entries: added, clears: false }));

const seqs = (records: readonly Entry[]) => records.map(({ at }) => at);

describe('the buffer', () => {
  test('keeps records in the order they were appended, for every connection to it', async () => {
    const name = newName();
    const [one, other] = [indexedDbStore(name), indexedDbStore(name)];

    await appendTo(one, entries(1, 3));
    await appendTo(other, entries(4, 4));
    const { waiting } = await appendTo(one, entries(5, 30));

    expect(waiting).toBe(30);
    expect(seqs(await other.peek(25))).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
  });

  test('forgets what is removed, and never gives its key to another record', async () => {
    const buffer = indexedDbStore(newName());
    await appendTo(buffer, entries(1, 2));
    const before = await buffer.peek(25);

    await buffer.remove(before, 'delivered');
    await appendTo(buffer, entries(3, 3));
    await buffer.remove(before, 'delivered');

    expect(seqs(await buffer.peek(25))).toEqual([3]);
  });

  test('appends all or nothing', async () => {
    const buffer = indexedDbStore(newName());
    const bad = { ...entry(2), json: () => {} } as unknown as Entry;

    await expect(appendTo(buffer, [...entries(1, 1), bad])).rejects.toThrow();

    expect(await appendTo(buffer, entries(3, 3))).toMatchObject({ waiting: 1 });
  });

  test('costs no more to look into with 10,000 records than with 25', async () => {
    const buffer = indexedDbStore(newName());
    const timed = async () => {
      const from = performance.now();
      for (let n = 0; n < 50; n++) await buffer.peek(25);
      return performance.now() - from;
    };
    await appendTo(buffer, entries(1, 25));
    await timed();
    const small = await timed();

    await appendTo(buffer, entries(26, 10_000));
    const large = await timed();

    // Reading all of it takes hundreds of times as long.
    expect(large / small).toBeLessThan(20);
  });

  test('stands in nobody’s way who deletes the database, and is then opened again', async () => {
    const name = newName();
    const told: unknown[] = [];
    const buffer = withFallback(
      () => indexedDbStore(name),
      (promise) => promise,
      (why) => told.push(why),
    );
    await appendTo(buffer, entries(1, 1));

    await new Promise((resolve, reject) => {
      const deleting = indexedDB.deleteDatabase(name);
      deleting.onsuccess = resolve;
      deleting.onblocked = () => reject(new Error('our connection stands in the way'));
    });

    expect(await appendTo(buffer, entries(2, 2))).toMatchObject({ waiting: 1 });
    expect(told).toEqual([]);
    expect(seqs(await indexedDbStore(name).peek(25))).toEqual([2]);
  });
});

test('state lies beside the records, and a change has no other in between', async () => {
  const name = newName();
  const [one, other] = [indexedDbStore(name), indexedDbStore(name)];
  await appendTo(one, entries(1, 3));
  const increment = (value: unknown) => Number(value ?? 0) + 1;

  await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 ? one : other).update('count', increment)));

  expect(await one.get('count')).toBe(40);
  expect(seqs(await one.peek(25))).toEqual([1, 2, 3]);
});

test('two tabs know one visitor: who signs in in one is known in the other', async () => {
  // Nobody answers there, so that everything stays in the buffer.
  const endpoint = `http://127.0.0.1:9/${crypto.randomUUID()}`;
  const [one, other] = [createTracker({ endpoint }), createTracker({ endpoint })];
  const buffer = indexedDbStore(`webengage-relay:${endpoint}`);
  const visitors = async () =>
    (await buffer.peek(25)).map(({ userId, anonymousId }) => userId ?? anonymousId);

  await one.track('One');
  await other.track('Two');
  const [anonymous] = await visitors();
  expect(await visitors()).toEqual([anonymous, anonymous]);

  await one.identify('johndoe');
  window.dispatchEvent(new Event('focus'));
  await expect
    .poll(async () => {
      await other.track('Three');
      return (await visitors()).at(-1);
    })
    .toBe('johndoe');
});

const ENDS = ['delivered', 'rejected', 'expired', 'over_max_records'] as const;

type Operation =
  | { readonly does: 'append'; readonly by: 0 | 1; readonly count: number }
  /** Of the oldest records that were read so many, and of those some: each nth, or all that are there. */
  | {
      readonly does: 'remove';
      readonly by: 0 | 1;
      readonly of: number;
      readonly each: number;
      readonly end: Disposition;
    }
  /** As a page does that has read before others removed: what it removes is partly gone. */
  | { readonly does: 'remove again'; readonly by: 0 | 1; readonly end: Disposition };

const by = fc.constantFrom(0 as const, 1 as const);
const end = fc.constantFrom(...ENDS);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ does: fc.constant('append' as const), by, count: fc.integer({ min: 1, max: 60 }) }),
  fc.record({
    does: fc.constant('remove' as const),
    by,
    of: fc.integer({ min: 1, max: 70 }),
    each: fc.integer({ min: 1, max: 4 }),
    end,
  }),
  fc.record({ does: fc.constant('remove again' as const), by, end }),
);

const idsOf = (records: readonly Entry[]) => records.map(({ id }) => id);

test('whatever two connections append and remove, what lies there is what was not removed, in order, and counted so', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
      const name = newName();
      const storages = [indexedDbStore(name), indexedDbStore(name)] as const;
      let seq = 0;
      let left: string[] = [];
      let last: readonly StoredEntry[] = [];
      const ended = { delivered: 0, rejected: 0, expired: 0, over_max_records: 0, opted_out: 0 };

      for (const operation of operations) {
        const buffer = storages[operation.by];
        if (operation.does === 'append') {
          const added = Array.from({ length: operation.count }, () => entry(++seq));
          const { entries: stored, waiting } = await appendTo(buffer, added);
          left.push(...idsOf(added));
          expect(idsOf(stored)).toEqual(idsOf(added));
          expect(waiting).toBe(left.length);
        } else {
          if (operation.does === 'remove') {
            const { of, each } = operation;
            last = (await buffer.peek(of)).filter((_, index) => index % each === 0);
          }
          if (last.length === 0) continue;
          const gone = new Set(idsOf(last));
          ended[operation.end] += left.filter((id) => gone.has(id)).length;
          left = left.filter((id) => !gone.has(id));
          await buffer.remove(last, operation.end);
        }
        const stats = statsOf(await storages[0].get('counts'));
        const { delivered, rejected, dropped } = stats;
        expect(idsOf(await storages[1].peek(1_000))).toEqual(left);
        expect({ delivered, rejected, ...dropped }).toEqual(ended);
        expect([stats.tracked, stats.buffered]).toEqual([seq, left.length]);
      }
      indexedDB.deleteDatabase(name);
    }),
    { numRuns: 40 },
  );
});

test('of records that share a row any part can be removed, by the keys they were appended with', async () => {
  const buffer = indexedDbStore(newName());
  const added = entries(1, 60);
  const { entries: stored } = await appendTo(buffer, added);

  await buffer.remove(
    stored.filter((_, index) => index % 2 === 0),
    'delivered',
  );

  expect(idsOf(await buffer.peek(100))).toEqual(idsOf(added.filter((_, index) => index % 2 === 1)));
});

test('to forget nothing is no error', async () => {
  const buffer = indexedDbStore(newName());
  await appendTo(buffer, entries(1, 1));

  await buffer.remove([], 'delivered');

  expect(await buffer.peek(25)).toHaveLength(1);
});

test('what two connections append at once lies in one order for both, and none of it is lost', async () => {
  const name = newName();
  const [one, other] = [indexedDbStore(name), indexedDbStore(name)];

  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      appendTo(index % 2 ? one : other, entries(index + 1, index + 1)),
    ),
  );

  const [seen, seenByOther] = await Promise.all([one.peek(100), other.peek(100)]);
  expect(idsOf(seen)).toEqual(idsOf(seenByOther));
  expect(new Set(idsOf(seen)).size).toBe(40);
  expect(statsOf(await one.get('counts'))).toMatchObject({ tracked: 40, buffered: 40 });
});

test('a buffer is looked through from a row on, past what is not wanted, each record once', async () => {
  const name = crypto.randomUUID();
  const buffer = indexedDbStore(name);
  for (let n = 0; n < 3; n++) await appendTo(buffer, entries(n * 40 + 1, n * 40 + 40));
  const shown: string[] = [];
  const found = await buffer.peek(10, 2, ({ id }) => {
    shown.push(id);
    return Number(id.split('.')[1]) % 20 === 0;
  });

  // The second row holds what is over 25 of the first 40.
  expect(shown).toEqual(Array.from({ length: 95 }, (_, i) => idOf(i + 26)));
  expect(found.map(({ id }) => id)).toEqual([40, 60, 80, 100, 120].map((n) => idOf(n)));
});

test('a database of a newer version of the tracker opens, and what lies there is in reach', async () => {
  const name = newName();
  await appendTo(indexedDbStore(name), entries(1, 2));
  const newer = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name, 7);
    request.onupgradeneeded = () => request.result.createObjectStore('of a newer version');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  newer.close();

  const store = indexedDbStore(name);
  await appendTo(store, entries(3, 3));

  expect(seqs(await store.peek(25))).toEqual([1, 2, 3]);
});

test('an append reads and writes the visitor in one transaction: of two tabs none goes by what the other has changed', async () => {
  const name = newName();
  const [one, other] = [indexedDbStore(name), indexedDbStore(name)];
  const add = (store: RecordStore) =>
    store.append(({ visitor, reported }) => ({
      visitor: { ...visitor, device: 'a device', changes: visitor.changes + 1 },
      reported,
      entries: [],
      clears: false,
    }));

  await Promise.all(Array.from({ length: 20 }, (_, n) => add(n % 2 ? one : other)));

  expect(await one.get('visitor')).toMatchObject({ device: 'a device', changes: 20 });
});

test('an append that clears leaves nothing but what it writes, and tells what it removed', async () => {
  const store = indexedDbStore(newName());
  await appendTo(store, entries(1, 30));
  await store.update('rate', () => 1);

  const { cleared, waiting } = await store.append(({ visitor, reported }) => ({
    visitor: { ...visitor, choices: 1 },
    reported,
    entries: [],
    clears: true,
  }));

  expect([cleared.length, waiting]).toEqual([30, 0]);
  expect(await store.peek(25)).toEqual([]);
  expect(await store.get('rate')).toBeUndefined();
  expect(await store.get('visitor')).toMatchObject({ choices: 1 });
});
