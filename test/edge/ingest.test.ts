import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { ingest } from '../../src/edge/ingest.ts';
import type { Outbox } from '../../src/edge/outbox.ts';
import { seal } from '../../src/edge/sealed.ts';
import { delivery, ingestAt, newOutbox, ROOM, SENDING_ON } from '../fakes/outbox.ts';
import { eventRecord, idOf, userRecord } from '../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const DAY = 86_400_000;
const DEVICE = '0b9d3c5e-8f1a-4c2b-9d7e-6a5b4c3d2e1f';

const events = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => eventRecord(from + index));

function storedIds(stub: DurableObjectStub<Outbox>): Promise<string[][]> {
  return runInDurableObject(stub, (_, { storage }) =>
    storage.sql
      .exec<{ records: string }>('SELECT records FROM run ORDER BY seq')
      .toArray()
      .map(({ records }) => JSON.parse(records).map(({ id }: { id: string }) => id)),
  );
}

test('a flush is stored as one row per run of one kind, in order', async () => {
  const stub = newOutbox();

  const receipt = await ingestAt(
    stub,
    delivery(DEVICE, userRecord(1), eventRecord(2), eventRecord(3), userRecord(4)),
    NOW,
  );

  expect(receipt).toEqual({ stored: true, accepted: 4, duplicates: 0 });
  expect(await storedIds(stub)).toEqual([[idOf(1)], [idOf(2), idOf(3)], [idOf(4)]]);
});

describe('each record is accepted once', () => {
  test('however often it comes, after an eviction too', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery(DEVICE, ...events(1, 25)), NOW);
    await evictDurableObject(stub);

    expect(await ingestAt(stub, delivery(DEVICE, ...events(1, 25)), NOW)).toEqual({
      stored: true,
      accepted: 0,
      duplicates: 25,
    });
    expect(await ingestAt(stub, delivery(DEVICE, ...events(20, 30)), NOW)).toEqual({
      stored: true,
      accepted: 5,
      duplicates: 6,
    });
    expect((await storedIds(stub)).flat()).toEqual(events(1, 30).map(({ id }) => id));
  });

  test('in any order, and with gaps', async () => {
    const stub = newOutbox();

    for (const seq of [7, 3, 9, 1, 8, 3, 7, 2]) await ingestAt(stub, delivery(DEVICE, eventRecord(seq)), NOW);

    expect((await storedIds(stub)).flat()).toEqual([7, 3, 9, 1, 8, 2].map((seq) => idOf(seq)));
  });

  test('twice in one delivery', async () => {
    const stub = newOutbox();

    expect(await ingestAt(stub, delivery(DEVICE, eventRecord(1), eventRecord(1)), NOW)).toEqual({
      stored: true,
      accepted: 1,
      duplicates: 1,
    });
  });

  test('a backlog sent a week later, and half before', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery(DEVICE, ...events(1, 10)), NOW);
    await ingestAt(stub, delivery(DEVICE, eventRecord(11)), NOW + 3 * DAY);

    expect(await ingestAt(stub, delivery(DEVICE, ...events(1, 12)), NOW + 8 * DAY)).toEqual({
      stored: true,
      accepted: 1,
      duplicates: 11,
    });
  });

  test('across the rows that hold a session’s numbers', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery(DEVICE, ...events(4_090, 4_100)), NOW);

    expect(await ingestAt(stub, delivery(DEVICE, ...events(4_090, 4_101)), NOW)).toEqual({
      stored: true,
      accepted: 1,
      duplicates: 11,
    });
  });
});

test('another device, or another session, with the same numbers is someone else', async () => {
  const stub = newOutbox();
  const otherSession = eventRecord(1, { id: idOf(1, 'A'.repeat(22)) });
  await ingestAt(stub, delivery(DEVICE, eventRecord(1)), NOW);

  expect(await ingestAt(stub, delivery(DEVICE, otherSession), NOW)).toMatchObject({ accepted: 1 });
  expect(await ingestAt(stub, delivery(DEVICE.replace('0', '1'), eventRecord(1)), NOW)).toMatchObject({
    accepted: 1,
  });
});

test('ids are forgotten when the relay no longer takes records that old: their table is dropped', async () => {
  const stub = newOutbox();
  for (let day = 0; day < 20; day++)
    await ingestAt(stub, delivery(DEVICE, eventRecord(day + 1)), NOW + day * DAY);

  const tables = await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec(`SELECT name FROM sqlite_master WHERE name GLOB 'seen_*'`).toArray(),
  );

  expect(tables).toHaveLength(9);
});

test('a flush of 25 known to be new writes two rows and the alarm’s', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery(DEVICE, ...events(1, 25)), NOW);

  const written = await runInDurableObject(stub, (_, { storage }) => {
    const { sql } = storage;
    let rows = 0;
    const counting: SqlStorage = new Proxy(sql, {
      get: (target, name) =>
        name === 'exec'
          ? (query: string, ...bindings: unknown[]) => {
              const cursor = target.exec(query, ...bindings);
              rows += cursor.rowsWritten;
              return cursor;
            }
          : Reflect.get(target, name),
    });
    const counted: DurableObjectStorage = new Proxy(storage, {
      get: (target, name) => {
        if (name === 'sql') return counting;
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    ingest(counted, delivery(DEVICE, ...events(26, 50)), { ...SENDING_ON, alarmAt: NOW }, ROOM, NOW);
    return rows;
  });

  expect(written).toBe(2);
});

describe('the alarm', () => {
  // The platform moves an alarm that is set for the past: these are set for later.
  const LATER = Date.now() + DAY;

  function alarmAfter(records: ReturnType<typeof events>, alarmAt: number | null, heldUntil = 0) {
    return runInDurableObject(newOutbox(), async (_, { storage }) => {
      ingest(storage, delivery(DEVICE, ...records), { ...SENDING_ON, alarmAt, heldUntil }, ROOM, LATER);
      const alarm = await storage.getAlarm();
      await storage.deleteAlarm();
      return alarm;
    });
  }

  test('is set for when the record has lingered, and at once for a full batch', async () => {
    expect(await alarmAfter(events(1, 1), null)).toBe(LATER + 1_000);
    expect(await alarmAfter(events(1, 25), null)).toBe(LATER + 25);
  });

  test('is not set again where it comes in time, and is where it is overdue and given up', async () => {
    expect(await alarmAfter(events(1, 1), LATER + 500)).toBeNull();
    expect(await alarmAfter(events(1, 1), LATER + 60_000)).toBe(LATER + 1_000);
    expect(await alarmAfter(events(1, 1), LATER - 60_000)).toBe(LATER + 1_000);
  });

  test('is not pulled forward by what can’t be sent yet: an outage makes no storm of alarms', async () => {
    expect(await alarmAfter(events(1, 25), null, LATER + 30_000)).toBe(LATER + 30_000);
    expect(await alarmAfter(events(1, 25), LATER + 30_000, LATER + 30_000)).toBeNull();
  });

  test('is not pulled forward by records that a sealed batch holds already', async () => {
    const alarm = await runInDurableObject(newOutbox(), async (_, { storage }) => {
      ingest(storage, delivery(DEVICE, ...events(1, 25)), SENDING_ON, ROOM, LATER);
      seal(
        storage.sql,
        { kind: 'event', members: [{ seq: 1, device: DEVICE, from: 0, to: 25 }] },
        'f',
        LATER,
      );
      await storage.deleteAlarm();
      ingest(storage, delivery(DEVICE.replace('0', '1'), eventRecord(1)), SENDING_ON, ROOM, LATER);
      const set = await storage.getAlarm();
      await storage.deleteAlarm();
      return set;
    });

    expect(alarm).toBe(LATER + 1_000);
  });

  test('is stored with the records, or neither is', async () => {
    const stub = newOutbox();

    const left = await runInDurableObject(stub, async (_, { storage }) => {
      const failing: DurableObjectStorage = new Proxy(storage, {
        get: (target, name) => {
          if (name === 'setAlarm')
            return () => {
              throw new Error('no alarm');
            };
          const value = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      expect(() => ingest(failing, delivery(DEVICE, eventRecord(1)), SENDING_ON, ROOM, NOW)).toThrow(
        'no alarm',
      );
      return storage.sql.exec('SELECT seq FROM run').toArray();
    });

    expect(left).toEqual([]);
    expect(await ingestAt(stub, delivery(DEVICE, eventRecord(1)), NOW)).toMatchObject({ accepted: 1 });
  });
});
