import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../../src/contract/batch.ts';
import type { TrackerRecord } from '../../../src/contract/record.ts';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import type { Shares } from '../../../src/edge/limits/fair-share.ts';
import { ingest, type Receipt } from '../../../src/edge/queue/ingest.ts';
import type { Room } from '../../../src/edge/queue/room.ts';
import { seal } from '../../../src/edge/queue/sealed-batches.ts';
import {
  deadLettersOf,
  delivery,
  ingestAt,
  newOutbox,
  passAt,
  ROOM,
  rulingUpstream,
  SENDING_ON,
  scriptedUpstream,
  sentIds,
  storedRuns,
  turnOverAt,
} from '../../fakes/outbox.ts';
import { eventRecord, events, idOf, userRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const DAY = 86_400_000;
const DEVICE = '0b9d3c5e-8f1a-4c2b-9d7e-6a5b4c3d2e1f';

function storedIds(stub: DurableObjectStub<Outbox>): Promise<string[][]> {
  return runInDurableObject(stub, (_, { storage }) =>
    storedRuns(storage.sql).map(({ records }) => records.map(({ id }) => id)),
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

test('a page’s delivery is charged to its shares, also from an older Worker; those of other lanes are not', async () => {
  const stub = newOutbox();
  const charged: string[] = [];
  const shares: Shares = {
    enter: ({ device }) => {
      charged.push(device);
      return 700;
    },
  };

  const stored: boolean[] = [];
  const lanes = [{}, { lane: 'live' }, { lane: 'server', sender: 'erp' }, { lane: 'import' }] as const;
  for (const [n, lane] of lanes.entries()) {
    const sent = { ...delivery(`device-${n}`, eventRecord(n + 1)), ...lane };
    stored.push((await ingestAt(stub, sent, NOW, { shares })).stored);
  }

  expect(stored).toEqual([false, false, true, true]);
  expect(charged).toEqual(['device-0', 'device-1']);
});

describe('each record is accepted once', () => {
  test('however often it arrives, even after an eviction', async () => {
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

  test('when it arrives twice in one delivery', async () => {
    const stub = newOutbox();

    expect(await ingestAt(stub, delivery(DEVICE, eventRecord(1), eventRecord(1)), NOW)).toEqual({
      stored: true,
      accepted: 1,
      duplicates: 1,
    });
  });

  test('when a backlog arrives a week later, and half of it earlier', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery(DEVICE, ...events(1, 10)), NOW);
    await ingestAt(stub, delivery(DEVICE, eventRecord(11)), NOW + 3 * DAY);

    expect(await ingestAt(stub, delivery(DEVICE, ...events(1, 12)), NOW + 8 * DAY)).toEqual({
      stored: true,
      accepted: 1,
      duplicates: 11,
    });
  });

  test('across the rows that hold the numbers of a session', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery(DEVICE, ...events(250, 260)), NOW);

    expect(await ingestAt(stub, delivery(DEVICE, ...events(250, 261)), NOW)).toEqual({
      stored: true,
      accepted: 1,
      duplicates: 11,
    });
  });
});

test('the same numbers from another device or session are new records', async () => {
  const stub = newOutbox();
  const otherSession = eventRecord(1, { id: idOf(1, 'A'.repeat(22)) });
  await ingestAt(stub, delivery(DEVICE, eventRecord(1)), NOW);

  expect(await ingestAt(stub, delivery(DEVICE, otherSession), NOW)).toMatchObject({ accepted: 1 });
  expect(await ingestAt(stub, delivery(DEVICE.replace('0', '1'), eventRecord(1)), NOW)).toMatchObject({
    accepted: 1,
  });
});

test('ids are forgotten with their table once the relay no longer accepts records that old', async () => {
  const stub = newOutbox();
  for (let day = 0; day < 20; day++) {
    await ingestAt(stub, delivery(DEVICE, eventRecord(day + 1)), NOW + day * DAY);
    await turnOverAt(stub, NOW + day * DAY);
  }

  const tables = await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec(`SELECT name FROM sqlite_master WHERE name GLOB 'seen_*'`).toArray(),
  );

  expect(tables).toHaveLength(9);
});

describe('a full outbox stores nothing more', () => {
  const ingestInto = (stub: DurableObjectStub<Outbox>, room: Partial<Room>, ...records: TrackerRecord[]) =>
    ingestAt(stub, delivery(DEVICE, ...records), NOW, { room });

  test('counting records: a flush is stored whole, or not at all so that it can be sent again', async () => {
    const stub = newOutbox();

    expect(await ingestInto(stub, { records: 8 }, ...events(1, 5))).toMatchObject({ stored: true });
    expect(await ingestInto(stub, { records: 8 }, ...events(6, 10))).toEqual({ stored: false });
    expect(await ingestInto(stub, { records: 8 }, ...events(6, 8))).toMatchObject({ accepted: 3 });
    expect(await ingestInto(stub, { records: 100 }, ...events(6, 10))).toMatchObject({
      accepted: 2,
      duplicates: 3,
    });
  });

  test("counting dead letters too, so that refused records can't fill the storage", async () => {
    const stub = newOutbox();
    await ingestInto(stub, {}, ...events(1, 5));
    await passAt(
      stub,
      rulingUpstream(() => 400),
      NOW + 1_000,
    );

    expect(await deadLettersOf(stub)).toHaveLength(5);
    expect(await ingestInto(stub, { records: 8 }, ...events(6, 10))).toEqual({ stored: false });
  });

  test('counting bytes, including those of remembered ids', async () => {
    const stub = newOutbox();
    await ingestInto(stub, {}, ...events(1, 5));
    const bytes = await runInDurableObject(stub, (_, { storage }) => storage.sql.databaseSize);

    expect(await ingestInto(stub, { bytes: bytes - 1 }, ...events(6, 10))).toEqual({ stored: false });
    expect(await ingestInto(stub, { bytes }, ...events(6, 10))).toMatchObject({ accepted: 5 });
  });

  test('and needs no room for records that the Worker rejected, so that the sender keeps none of them', async () => {
    expect(await ingestInto(newOutbox(), { bytes: 0 })).toEqual({
      stored: true,
      accepted: 0,
      duplicates: 0,
    });
  });

  test('and can still send everything it holds', async () => {
    const stub = newOutbox();
    await ingestInto(stub, {}, ...events(1, 25));
    expect(await ingestInto(stub, { bytes: 0 }, ...events(26, 30))).toEqual({ stored: false });

    const upstream = scriptedUpstream();
    await passAt(stub, upstream, NOW);

    expect(sentIds(upstream)).toEqual([events(1, 25).map(({ id }) => id)]);
  });
});

test('the largest accepted batch makes no row near the platform’s limit of 2 MB', async () => {
  const stub = newOutbox();
  // What grows most from the wire to the store: numbers that JSON writes out.
  const numbers = Array.from({ length: 3_000 }, () => 1e20);
  const records = Array.from({ length: 25 }, (_, n) => eventRecord(n + 1, { eventData: { a: numbers } }));
  const onTheWire = JSON.stringify(records).replaceAll('100000000000000000000', '1e20');
  expect(onTheWire.length).toBeGreaterThan(MAX_BODY_BYTES);

  await ingestAt(stub, delivery(DEVICE, ...records), NOW);

  const largest = await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec<{ bytes: number }>('SELECT MAX(LENGTH(records)) AS bytes FROM run_a').one(),
  );
  expect(largest.bytes).toBeLessThan(2_000_000);
});

test('the most scattered numbers of a session make no costly row, though one request can touch 400', async () => {
  const stub = newOutbox();
  const from = 10 ** 14;
  for (let n = 0; n < 4_096; n += 50)
    await ingestAt(
      stub,
      delivery(DEVICE, ...Array.from({ length: 25 }, (_, each) => eventRecord(from + n + each * 2))),
      NOW,
    );
  await turnOverAt(stub, NOW);

  const largest = await runInDurableObject(stub, (_, { storage }) =>
    storage.sql
      .exec<{ bytes: number }>(`SELECT MAX(LENGTH(seqs)) AS bytes FROM seen_${(NOW / DAY) | 0}`)
      .one(),
  );
  expect(largest.bytes).toBeLessThan(4_000);
});

test('the Worker’s rejected records are counted with the rest', async () => {
  const stub = newOutbox();
  const refused = { rejected: 2, expired: 1 };

  await ingestAt(stub, { ...delivery(DEVICE, eventRecord(1)), refused }, NOW);
  await ingestAt(stub, { ...delivery(DEVICE), refused }, NOW);

  expect((await stub.status()).totals).toMatchObject({ entered: 1, rejected: 4, expired: 2, duplicate: 0 });
});

test('a full batch is signalled to a running pass', async () => {
  const stub = newOutbox();
  let signals = 0;
  // Its alarm is set, and does not come before the pass is over.
  const sendingOn = { alarmAt: NOW, awaitsFullBatch: true, fullBatch: () => (signals += 1) };

  await ingestAt(stub, delivery(DEVICE, ...events(1, 24)), NOW, { sendingOn });
  expect(signals).toBe(0);
  await ingestAt(stub, delivery(DEVICE, eventRecord(25)), NOW, { sendingOn });

  expect(signals).toBe(1);
});

describe('the alarm', () => {
  // The platform moves an alarm that is set for the past: these are set for later.
  const LATER = Date.now() + DAY;

  function alarmAfter(records: ReturnType<typeof events>, alarmAt: number | null, backoffUntil = 0) {
    return runInDurableObject(newOutbox(), async (_, { storage }) => {
      ingest(storage, delivery(DEVICE, ...records), { ...SENDING_ON, alarmAt, backoffUntil }, ROOM, LATER);
      const alarm = await storage.getAlarm();
      await storage.deleteAlarm();
      return alarm;
    });
  }

  test('is set for when the record has lingered, and at once for a full batch', async () => {
    expect(await alarmAfter(events(1, 1), null)).toBe(LATER + 1_000);
    expect(await alarmAfter(events(1, 25), null)).toBe(LATER + 25);
  });

  test('is set again only if it comes too late or the platform has given it up', async () => {
    expect(await alarmAfter(events(1, 1), LATER + 500)).toBeNull();
    expect(await alarmAfter(events(1, 1), LATER + 60_000)).toBe(LATER + 1_000);
    expect(await alarmAfter(events(1, 1), LATER - 60_000)).toBe(LATER + 1_000);
  });

  test("is not moved forward by records that can't be sent yet, so an outage causes no storm of alarms", async () => {
    expect(await alarmAfter(events(1, 25), null, LATER + 30_000)).toBe(LATER + 30_000);
    expect(await alarmAfter(events(1, 25), LATER + 30_000, LATER + 30_000)).toBeNull();
  });

  test('is not moved forward by records that are already in a sealed batch', async () => {
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

  test('is not moved forward by records that wait behind a sealed batch, nor by a mix of two kinds', async () => {
    const alarms = await runInDurableObject(newOutbox(), async (_, { storage }) => {
      const alarmAfterOne = async (device: string) => {
        await storage.deleteAlarm();
        ingest(storage, delivery(device, eventRecord(1)), SENDING_ON, ROOM, LATER);
        const set = await storage.getAlarm();
        await storage.deleteAlarm();
        return set;
      };
      ingest(storage, delivery('slow', eventRecord(1)), SENDING_ON, ROOM, LATER);
      seal(storage.sql, { kind: 'event', members: [{ seq: 1, device: 'slow', from: 0, to: 1 }] }, 'f', LATER);
      ingest(storage, delivery('slow', ...events(2, 26)), SENDING_ON, ROOM, LATER);
      const behindSealed = await alarmAfterOne('other');
      for (let n = 0; n < 20; n++)
        ingest(storage, delivery(`user ${n}`, userRecord(1)), SENDING_ON, ROOM, LATER);
      return [behindSealed, await alarmAfterOne('another')];
    });

    expect(alarms).toEqual([LATER + 1_000, LATER + 1_000]);
  });

  test('is stored with the records in one transaction', async () => {
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
      return storedRuns(storage.sql);
    });

    expect(left).toEqual([]);
    expect(await ingestAt(stub, delivery(DEVICE, eventRecord(1)), NOW)).toMatchObject({ accepted: 1 });
  });
});

test('a flood of repeated page loads is refused before they are looked up, even if no records are waiting', async () => {
  const stub = newOutbox();
  const load = (n: number) => n.toString(36).padStart(22, '0');
  const flood = {
    ...delivery('a', ...Array.from({ length: 400 }, (_, n) => eventRecord(1, { id: idOf(1, load(n)) }))),
    network: 'n',
  };
  const other = { ...delivery('b', eventRecord(1)), network: 'home' };

  const receipts: Receipt[] = [];
  for (let n = 0; n < 60; n++)
    receipts.push(await stub.ingest('1/0', { ...flood, device: `flood ${n % 20}` }));

  expect(receipts.filter(({ stored }) => stored).length).toBeLessThan(40);
  expect(await stub.ingest('1/0', other)).toMatchObject({ stored: true });
  await runInDurableObject(stub, (_, { storage }) => storage.deleteAlarm());
});
