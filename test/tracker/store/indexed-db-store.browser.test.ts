import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTracker } from '../../../src/tracker/index.ts';
import type { Entry, StoredEntry } from '../../../src/tracker/record/call.ts';
import type { Disposition } from '../../../src/tracker/record/outcome.ts';
import { NO_VISITOR } from '../../../src/tracker/record/visitor.ts';
import { connect, openDatabase } from '../../../src/tracker/store/database.ts';
import { memoryStore } from '../../../src/tracker/store/memory-store.ts';
import { type RecordStore, recordStore } from '../../../src/tracker/store/record-store.ts';
import { statsOf } from '../../../src/tracker/store/stats.ts';
import { idOf } from '../../fakes/records.ts';

const newName = () => `test ${crypto.randomUUID()}`;

const eventEntry = (seq: number): Entry => ({
  kind: 'event',
  id: idOf(seq),
  wall: seq,
  mono: seq,
  at: seq,
  json: '"eventName":"Added to Cart"',
  anonymousId: 'somebody',
});

const entries = (from: number, to: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, index) => eventEntry(from + index));

const seqs = (records: readonly Entry[]) => records.map(({ at }) => at);

/** A connection of its own, with no time limit. */
function openStore(name: string, reported: unknown[] = []): RecordStore {
  return recordStore(
    openDatabase(
      () => connect(name),
      (promise) => promise,
      (why) => reported.push(why),
    ),
  );
}

const append = (store: RecordStore, appended: readonly Entry[]) =>
  store.append((visitor) => ({ visitor, entries: appended, clears: false }));

const remove = (store: RecordStore, removed: readonly StoredEntry[], end: Disposition) =>
  store.remove(removed, () => end);

describe('the buffer', () => {
  test('keeps records in the order they were appended, for every connection to it', async () => {
    const name = newName();
    const [one, other] = [openStore(name), openStore(name)];

    await append(one, entries(1, 3));
    await append(other, entries(4, 4));
    const { waiting } = await append(one, entries(5, 30));

    expect(waiting).toBe(30);
    expect(seqs(await other.peek(25))).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
  });

  test('forgets removed records, and never gives their key to another record', async () => {
    const buffer = openStore(newName());
    await append(buffer, entries(1, 2));
    const before = await buffer.peek(25);

    await remove(buffer, before, 'delivered');
    await append(buffer, entries(3, 3));
    await remove(buffer, before, 'delivered');

    expect(seqs(await buffer.peek(25))).toEqual([3]);
  });

  test('appends all or nothing, and otherwise memory takes over and degraded is emitted', async () => {
    const name = newName();
    const reported: unknown[] = [];
    const buffer = openStore(name, reported);
    // In the second of two rows.
    const bad = { ...eventEntry(27), json: () => {} } as unknown as Entry;

    expect(await append(buffer, [...entries(1, 26), bad])).toMatchObject({ waiting: 27 });

    expect(reported).toHaveLength(1);
    expect(await openStore(name).peek(25)).toEqual([]);
    expect(await buffer.peek(100)).toHaveLength(27);
  });

  test('costs no more to read with 10,000 records than with 25', async () => {
    const buffer = openStore(newName());
    const timed = async () => {
      const from = performance.now();
      for (let n = 0; n < 50; n++) await buffer.peek(25);
      return performance.now() - from;
    };
    await append(buffer, entries(1, 25));
    await timed();
    const small = await timed();

    await append(buffer, entries(26, 10_000));
    const large = await timed();

    // Reading all of it takes hundreds of times as long.
    expect(large / small).toBeLessThan(20);
  });

  test('blocks no deletion of the database, and opens again afterwards', async () => {
    const name = newName();
    const reported: unknown[] = [];
    const buffer = openStore(name, reported);
    await append(buffer, entries(1, 1));

    await new Promise((resolve, reject) => {
      const deleting = indexedDB.deleteDatabase(name);
      deleting.onsuccess = resolve;
      deleting.onblocked = () => reject(new Error('our connection stands in the way'));
    });

    expect(await append(buffer, entries(2, 2))).toMatchObject({ waiting: 1 });
    expect(reported).toEqual([]);
    expect(seqs(await openStore(name).peek(25))).toEqual([2]);
  });
});

test('state is stored beside the records, and a change is atomic', async () => {
  const name = newName();
  const [one, other] = [openStore(name), openStore(name)];
  await append(one, entries(1, 3));
  const increment = (value: unknown) => Number(value ?? 0) + 1;

  await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 ? one : other).update('count', increment)));

  expect(await one.get('count')).toBe(40);
  expect(seqs(await one.peek(25))).toEqual([1, 2, 3]);
});

test('two tabs know one visitor: a sign-in in one is known in the other', async () => {
  // Nobody answers there, so that everything stays in the buffer.
  const endpoint = `http://127.0.0.1:9/${crypto.randomUUID()}`;
  const [one, other] = [createTracker({ endpoint }), createTracker({ endpoint })];
  const buffer = openStore(`webengage-relay:${endpoint}`);
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

test('after any appends and removals by two connections the rest is stored in order and counted', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
      const name = newName();
      const storages = [openStore(name), openStore(name)] as const;
      let seq = 0;
      let left: string[] = [];
      let last: readonly StoredEntry[] = [];
      const ended = { delivered: 0, rejected: 0, expired: 0, over_max_records: 0, opted_out: 0 };

      for (const operation of operations) {
        const buffer = storages[operation.by];
        if (operation.does === 'append') {
          const entries = Array.from({ length: operation.count }, () => eventEntry(++seq));
          const { entries: records, waiting } = await append(buffer, entries);
          left.push(...idsOf(entries));
          expect(idsOf(records)).toEqual(idsOf(entries));
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
          await remove(buffer, last, operation.end);
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

test('any part of the records in one row can be removed by their keys', async () => {
  const buffer = openStore(newName());
  const { entries: stored } = await append(buffer, entries(1, 60));

  await remove(
    buffer,
    stored.filter(({ at }) => at % 2 === 1),
    'delivered',
  );

  expect(seqs(await buffer.peek(100))).toEqual(Array.from({ length: 30 }, (_, i) => 2 * i + 2));
});

test('records can have different outcomes at once, and an undelivered one leaves nothing reported', async () => {
  const buffer = openStore(newName());
  const visitor = { ...NO_VISITOR, device: 'one', changes: 1, reported: { email: '"a@b"' } };
  const { entries: stored } = await buffer.append(() => ({ visitor, entries: entries(1, 3), clears: false }));

  await remove(buffer, stored.slice(0, 1), 'delivered');
  expect(await buffer.get('visitor')).toMatchObject({ reported: { email: '"a@b"' } });

  await buffer.remove(stored, ({ at }) => (at === 2 ? 'rejected' : 'delivered'));
  expect(await buffer.get('visitor')).toMatchObject({ device: 'one', reported: undefined });
  expect(statsOf(await buffer.get('counts'))).toMatchObject({
    tracked: 3,
    buffered: 0,
    delivered: 2,
    rejected: 1,
  });
});

test('removing nothing is no error', async () => {
  const buffer = openStore(newName());
  await append(buffer, entries(1, 1));

  await remove(buffer, [], 'delivered');

  expect(await buffer.peek(25)).toHaveLength(1);
});

test('an append that clears returns the earlier contents, and counts anew', async () => {
  const buffer = openStore(newName());
  await append(buffer, entries(1, 30));

  const { cleared, waiting } = await buffer.append((visitor) => ({ visitor, entries: [], clears: true }));

  expect(seqs(cleared)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  expect(waiting).toBe(0);
  expect(await buffer.peek(25)).toEqual([]);
  expect(statsOf(await buffer.get('counts'))).toMatchObject({ tracked: 0 });
});

test('simultaneous appends of two connections have one order for both, and none is lost', async () => {
  const name = newName();
  const [one, other] = [openStore(name), openStore(name)];

  await Promise.all(
    Array.from({ length: 40 }, (_, index) => append(index % 2 ? one : other, entries(index + 1, index + 1))),
  );

  const [seen, seenByOther] = await Promise.all([one.peek(100), other.peek(100)]);
  expect(idsOf(seen)).toEqual(idsOf(seenByOther));
  expect(new Set(idsOf(seen)).size).toBe(40);
  expect(statsOf(await one.get('counts'))).toMatchObject({ tracked: 40, buffered: 40 });
});

test('a buffer is read past unwanted records, each record once and in order', async () => {
  const buffer = openStore(newName());
  for (let n = 0; n < 300; n++) await append(buffer, entries(n + 1, n + 1));
  const shown: number[] = [];

  const found = await buffer.peek(10, 0, ({ at }) => {
    shown.push(at);
    return at % 25 === 0;
  });

  expect(shown).toEqual(Array.from({ length: 250 }, (_, i) => i + 1));
  expect(seqs(found)).toEqual(Array.from({ length: 10 }, (_, i) => 25 * (i + 1)));
});

test('memory follows the same contract', async () => {
  const buffer = memoryStore();

  const { entries: stored, waiting } = await append(buffer, entries(1, 60));
  expect(waiting).toBe(60);
  await remove(
    buffer,
    stored.filter(({ at }) => at % 2 === 1),
    'delivered',
  );

  expect(seqs(await buffer.peek(100))).toEqual(Array.from({ length: 30 }, (_, i) => 2 * i + 2));
  expect(seqs(await buffer.peek(2, 0, ({ at }) => at > 10))).toEqual([12, 14]);
  expect(statsOf(await buffer.get('counts'))).toMatchObject({ tracked: 60, buffered: 30 });
});
