import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/tracker/buffer.ts';
import { createTracker } from '../../src/tracker/index.ts';
import { indexedDbStorage } from '../../src/tracker/indexed-db-storage.ts';
import { ADDED_TO_CART, idOf } from '../fakes/records.ts';

const newName = () => `test ${crypto.randomUUID()}`;

const entries = (from: number, to: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    at: from + index,
    record: { kind: 'event', id: idOf(from + index), ...ADDED_TO_CART },
  }));

const seqs = (records: readonly Entry[]) => records.map(({ at }) => at);

describe('the buffer', () => {
  test('keeps records in the order they were appended, for every connection to it', async () => {
    const name = newName();
    const [one, other] = [indexedDbStorage(name), indexedDbStorage(name)];

    await one.buffer.append(entries(1, 3));
    await other.buffer.append(entries(4, 4));
    const { waiting } = await one.buffer.append(entries(5, 30));

    expect(waiting).toBe(30);
    expect(seqs(await other.buffer.peek(25))).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
  });

  test('forgets what is removed, and never gives its key to another record', async () => {
    const { buffer } = indexedDbStorage(newName());
    await buffer.append(entries(1, 2));
    const before = await buffer.peek(25);

    await buffer.remove(before.map(({ key }) => key));
    await buffer.append(entries(3, 3));
    await buffer.remove(before.map(({ key }) => key));

    expect(seqs(await buffer.peek(25))).toEqual([3]);
  });

  test('appends all or nothing', async () => {
    const { buffer } = indexedDbStorage(newName());
    const bad = { at: 2, record: () => {} } as unknown as Entry;

    await expect(buffer.append([...entries(1, 1), bad])).rejects.toThrow();

    expect(await buffer.append(entries(3, 3))).toMatchObject({ waiting: 1 });
  });

  test('costs no more to look into with 10,000 records than with 25', async () => {
    const { buffer } = indexedDbStorage(newName());
    const timed = async () => {
      const from = performance.now();
      for (let n = 0; n < 50; n++) await buffer.peek(25);
      return performance.now() - from;
    };
    await buffer.append(entries(1, 25));
    await timed();
    const small = await timed();

    await buffer.append(entries(26, 10_000));
    const large = await timed();

    // Reading all of it takes hundreds of times as long.
    expect(large / small).toBeLessThan(20);
  });

  test('opens again after the database was deleted under it', async () => {
    const name = newName();
    const { buffer } = indexedDbStorage(name);
    await buffer.append(entries(1, 1));

    await new Promise((resolve, reject) => {
      const deleting = indexedDB.deleteDatabase(name);
      deleting.onsuccess = resolve;
      deleting.onblocked = () => reject(new Error('our connection stands in the way'));
    });

    expect(await buffer.append(entries(2, 2))).toMatchObject({ waiting: 1 });
  });
});

test('state lies beside the records, and a change has no other in between', async () => {
  const name = newName();
  const [one, other] = [indexedDbStorage(name), indexedDbStorage(name)];
  await one.buffer.append(entries(1, 3));
  const increment = (value: unknown) => Number(value ?? 0) + 1;

  await Promise.all(
    Array.from({ length: 40 }, (_, n) => (n % 2 ? one : other).state.update('count', increment)),
  );

  expect(await one.state.get('count')).toBe(40);
  expect(seqs(await one.buffer.peek(25))).toEqual([1, 2, 3]);
});

test('two tabs know one visitor: who signs in in one is known in the other', async () => {
  // Nobody answers there, so that everything stays in the buffer.
  const endpoint = `http://127.0.0.1:9/${crypto.randomUUID()}`;
  const [one, other] = [createTracker({ endpoint }), createTracker({ endpoint })];
  const { buffer } = indexedDbStorage(`webengage-relay:${endpoint}`);
  const visitors = async () =>
    (await buffer.peek(25)).map(({ record }) => record.userId ?? record.anonymousId);

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
