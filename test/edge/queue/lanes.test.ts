import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { LANES, type Lane } from '../../../src/contract/lane.ts';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { addSenders, type SenderCounts } from '../../../src/edge/queue/counters/sender-counts.ts';
import { requeue } from '../../../src/edge/queue/dead-letters/dead-letters.ts';
import type { Delivery } from '../../../src/edge/queue/ingest.ts';
import { laneOf } from '../../../src/edge/queue/lanes.ts';
import type { Room } from '../../../src/edge/queue/room.ts';
import { randomDeviceRuns } from '../../../src/edge/queue/segments/oldest-runs.ts';
import { outboxStatus, queueHealth } from '../../../src/edge/queue/status.ts';
import {
  deadLettersOf,
  delivery,
  ingestAt,
  newOutbox,
  passAt,
  ROOM,
  rulingUpstream,
  scriptedUpstream,
  sentIds,
  storedRuns,
} from '../../fakes/outbox.ts';
import { eventRecord, events, idOf, userRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const LINGERED = NOW + 1_000;

const inLane = (lane: Lane, ...records: Parameters<typeof delivery>[1][]): Delivery => ({
  ...delivery(lane, ...records),
  lane,
});

const statusOf = (stub: DurableObjectStub<Outbox>, now = LINGERED) =>
  runInDurableObject(stub, (_, { storage }) => outboxStatus(storage.sql, ROOM, now));

const waitingOf = async (stub: DurableObjectStub<Outbox>) =>
  Object.fromEntries((await statusOf(stub)).lanes.map(({ lane, records }) => [lane, records]));

const storedLanes = (stub: DurableObjectStub<Outbox>) =>
  runInDurableObject(stub, (_, { storage: { sql } }) =>
    storedRuns(sql).map(({ seq, device }) => [device, laneOf(seq)]),
  );

describe('records', () => {
  test('without a lane are live: Workers of older releases send none', async () => {
    const stub = newOutbox();

    await ingestAt(stub, delivery('a', eventRecord(1)), NOW);

    expect(await storedLanes(stub)).toEqual([['a', 'live']]);
  });

  test('are sent with the more important lanes first, whatever came first', async () => {
    const stub = newOutbox();
    for (const lane of LANES.toReversed()) await ingestAt(stub, inLane(lane, ...events(1, 25)), NOW);
    const upstream = rulingUpstream(() => 200);

    await passAt(stub, upstream, LINGERED);

    expect(upstream.calls).toHaveLength(3);
    expect(await waitingOf(stub)).toEqual({ live: 0, server: 0, import: 0 });
  });

  test('of all lanes share a call that is not full', async () => {
    const stub = newOutbox();
    await ingestAt(stub, inLane('server', ...events(1, 5)), NOW);
    await ingestAt(stub, { ...inLane('live', ...events(6, 10)) }, LINGERED);
    await ingestAt(stub, inLane('import', ...events(11, 30)), LINGERED);
    const upstream = scriptedUpstream();

    await passAt(stub, upstream, LINGERED);

    expect(sentIds(upstream)[0]).toEqual(events(1, 25).map(({ id }) => id));
  });

  test('of one device in two lanes are never in two calls at once', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    await ingestAt(stub, { ...delivery('a', ...events(26, 50)), lane: 'server' }, NOW);
    let inFlight = 0;
    let most = 0;
    const upstream = rulingUpstream(() => 200);
    const answer: typeof upstream.answer = async (call) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inFlight -= 1;
      return upstream.answer(call);
    };

    await passAt(stub, { ...upstream, answer }, LINGERED);

    expect(upstream.calls).toHaveLength(2);
    expect(most).toBe(1);
  });

  test('of a full batch in a lane wake a pass, though the other lanes are far from full', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', eventRecord(1)), NOW);
    let woken = 0;
    const fullBatch = () => {
      woken += 1;
    };
    const sendingOn = { awaitsFullBatch: true, fullBatch };

    await ingestAt(stub, inLane('import', ...events(1, 24)), NOW, { sendingOn });
    expect(woken).toBe(0);
    await ingestAt(stub, inLane('import', eventRecord(25)), NOW, { sendingOn });

    expect(woken).toBe(1);
  });
});

describe('the import lane', () => {
  const ingestWith = (stub: DurableObjectStub<Outbox>, room: Partial<Room>, sent: Delivery) =>
    ingestAt(stub, sent, NOW, { room });

  test('takes no more than its part: the sender gets a time to come back, and loses nothing', async () => {
    const stub = newOutbox();
    const room = { importRecords: 50 };
    await ingestWith(stub, room, inLane('import', ...events(1, 50)));

    const refused = await ingestWith(stub, room, inLane('import', ...events(51, 60)));

    // A fifth of what leaves in five minutes.
    expect(refused).toEqual({ stored: false, retryInMs: 60_000 });
    expect(await waitingOf(stub)).toMatchObject({ import: 50 });
    await passAt(stub, scriptedUpstream(), LINGERED);
    expect(await ingestWith(stub, room, inLane('import', ...events(51, 60)))).toMatchObject({
      accepted: 10,
    });
  });

  test('refuses no sooner than that, and for 5 to 60 seconds', async () => {
    const waitFor = async (importRecords: number, more: number) => {
      const stub = newOutbox();
      await ingestWith(stub, { importRecords }, inLane('import', ...events(1, 25)));
      return ingestWith(stub, { importRecords }, inLane('import', ...events(26, 25 + more)));
    };

    expect(await waitFor(50, 25)).toMatchObject({ stored: true });
    expect(await waitFor(49, 25)).toEqual({ stored: false, retryInMs: 6_123 });
    expect(await waitFor(499, 475)).toEqual({ stored: false, retryInMs: 5_000 });
    expect(await waitFor(30, 25)).toEqual({ stored: false, retryInMs: 60_000 });
  });

  test('takes a request that is larger than its part while it is empty', async () => {
    const stub = newOutbox();

    expect(await ingestWith(stub, { importRecords: 4 }, inLane('import', ...events(1, 25)))).toMatchObject({
      accepted: 25,
    });
  });

  test('does not limit the other lanes', async () => {
    const stub = newOutbox();
    await ingestWith(stub, { importRecords: 4 }, inLane('import', ...events(1, 25)));

    for (const lane of ['live', 'server'] as const)
      expect(await ingestWith(stub, { importRecords: 4 }, inLane(lane, ...events(1, 25)))).toMatchObject({
        accepted: 25,
      });
  });
});

test('the shares of browsers depend on live records alone: an import in the backlog delays no page', async () => {
  const stub = newOutbox();
  await ingestAt(stub, inLane('import', ...events(1, 200)), NOW);
  await ingestAt(stub, inLane('live', ...events(1, 7)), NOW);
  const seen: number[] = [];
  const shares = {
    enter: (_sender: unknown, _cost: unknown, waiting: number) => {
      seen.push(waiting);
      return 0;
    },
  };

  await ingestAt(stub, inLane('live', eventRecord(8)), NOW, { shares });

  expect(seen).toEqual([7]);
});

describe('dead letters', () => {
  const refusing = () =>
    rulingUpstream(({ records }) => (records.some(({ eventName }) => eventName === 'Poison') ? 400 : 200));

  async function withDeadLetters(): Promise<DurableObjectStub<Outbox>> {
    const stub = newOutbox();
    for (const lane of LANES)
      await ingestAt(stub, inLane(lane, eventRecord(1, { eventName: 'Poison' })), NOW);
    await passAt(stub, refusing(), LINGERED);
    for (const lane of LANES) await ingestAt(stub, inLane(lane, eventRecord(2)), LINGERED);
    return stub;
  }

  test('are replayed in their lane, behind the records that wait there', async () => {
    const stub = await withDeadLetters();
    expect(await deadLettersOf(stub)).toHaveLength(3);

    await runInDurableObject(stub, async (outbox, { storage }) => {
      await outbox.replay({ until: LINGERED }, 10);
      await storage.deleteAlarm();
    });

    expect(await storedLanes(stub)).toEqual(
      LANES.flatMap((lane) => [
        [lane, lane],
        [lane, lane],
      ]),
    );
    expect(await waitingOf(stub)).toEqual({ live: 2, server: 2, import: 2 });
  });

  test('are requeued in their lane, before the records that wait there, and counted there once they leave', async () => {
    const stub = await withDeadLetters();

    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec('UPDATE dead SET proven = 0');
      requeue(storage, { since: NOW, until: undefined }, () => crypto.randomUUID(), LINGERED);
    });

    expect(await storedLanes(stub)).toEqual(
      LANES.flatMap((lane) => [
        [lane, lane],
        [lane, lane],
      ]),
    );
    expect(await waitingOf(stub)).toEqual({ live: 2, server: 2, import: 2 });
    const upstream = rulingUpstream(() => 200);
    for (let pass = 0; pass < 3; pass++) await passAt(stub, upstream, LINGERED + 5_000 * (1 + pass));
    expect(await waitingOf(stub)).toEqual({ live: 0, server: 0, import: 0 });
    expect(sentIds(upstream).flat().slice(0, 3)).toEqual([idOf(1), idOf(1), idOf(1)]);
  });
});

test('the status has the number of waiting records in each lane, and the age of the oldest', async () => {
  const stub = newOutbox();
  await ingestAt(stub, inLane('import', ...events(1, 7)), NOW - 9_000);
  await ingestAt(stub, inLane('live', ...events(1, 2)), NOW);

  expect((await statusOf(stub, NOW + 500)).lanes).toEqual([
    { lane: 'live', records: 2, oldestAgeMs: 500 },
    { lane: 'server', records: 0, oldestAgeMs: 0 },
    { lane: 'import', records: 7, oldestAgeMs: 9_500 },
  ]);
  expect(await statusOf(stub, NOW + 500)).toMatchObject({ records: 9, oldestAgeMs: 9_500 });
});

test('health looks at the oldest record of each lane', async () => {
  const stub = newOutbox();
  await ingestAt(stub, inLane('live', userRecord(1)), NOW);
  await ingestAt(stub, inLane('import', eventRecord(1)), NOW - 1_000);

  const { waiting } = await runInDurableObject(stub, (_, { storage }) => queueHealth(storage.sql, ROOM));

  expect(waiting).toEqual([
    { lane: 'live', kind: 'user', since: NOW, takenAt: 0 },
    { lane: 'import', kind: 'event', since: NOW - 1_000, takenAt: 0 },
  ]);
});

test('a probe may come from any lane, and from any browser in it', async () => {
  const stub = newOutbox();
  for (const lane of LANES)
    for (let n = 1; n <= 4; n++)
      await ingestAt(stub, { ...delivery(`${lane} ${n}`, ...events(1, n)), lane }, NOW);

  const devices = await runInDurableObject(stub, (_, { storage: { sql } }) => {
    const drawn = (chance: number, passedOver: readonly string[] = []) =>
      [...randomDeviceRuns(sql, passedOver, chance)].map(({ device }) => device)[0];
    const all = Array.from({ length: 300 }, (_, n) => drawn(n / 300));
    const busy = all.filter((device) => device?.startsWith('live') || device?.startsWith('server'));
    return {
      all,
      left: drawn(
        0,
        [...new Set(busy)].filter((device) => device !== undefined),
      ),
    };
  });

  expect(new Set(devices.all).size).toBe(12);
  expect(devices.left).toMatch(/^import/);
});

describe('the counts of senders', () => {
  const named = (lane: Lane, sender: string, ...records: Parameters<typeof delivery>[1][]): Delivery => ({
    ...inLane(lane, ...records),
    sender,
    refused: { rejected: 1, expired: 2 },
  });

  test('are those of each delivery with a name, by lane', async () => {
    const stub = newOutbox();
    const counted: SenderCounts[] = [];
    const countSender = (counts: SenderCounts) => counted.push(counts);
    const send = (sent: Delivery) => ingestAt(stub, sent, NOW, { countSender });

    await send(named('server', 'crm', ...events(1, 3)));
    await send(named('server', 'crm', ...events(3, 5)));
    await send(named('import', 'crm', eventRecord(1)));
    await send(inLane('live', eventRecord(1)));

    expect(addSenders(counted)).toEqual([
      { name: 'crm', lane: 'server', accepted: 5, duplicates: 1, rejected: 6 },
      { name: 'crm', lane: 'import', accepted: 1, duplicates: 0, rejected: 3 },
    ]);
  });

  test('survive an eviction once the outbox was woken, and add up', async () => {
    const stub = newOutbox();
    for (const from of [1, 11, 21]) {
      await runInDurableObject(stub, async (outbox, { storage }) => {
        await outbox.ingest('1/0', named('server', 'crm', ...events(from, from + 9)));
        await outbox.ingest('1/0', named('server', 'crm', eventRecord(from)));
        await outbox.wake();
        await storage.deleteAlarm();
      });
      await evictDurableObject(stub);
    }

    const { senders } = await stub.status();

    expect(senders).toEqual([{ name: 'crm', lane: 'server', accepted: 30, duplicates: 3, rejected: 18 }]);
  });
});
