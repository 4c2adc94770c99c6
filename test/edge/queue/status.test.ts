import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { noEvidence } from '../../../src/edge/delivery/evidence.ts';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import type { Room } from '../../../src/edge/queue/room.ts';
import { seal } from '../../../src/edge/queue/sealed-batches.ts';
import { outboxStatus, queueHealth } from '../../../src/edge/queue/status.ts';
import { delivery, ingestAt, newOutbox, passAt, ROOM, rulingUpstream } from '../../fakes/outbox.ts';
import { eventRecord, userRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

async function withRecords(): Promise<DurableObjectStub<Outbox>> {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', eventRecord(1), eventRecord(2)), NOW);
  await ingestAt(stub, delivery('b', eventRecord(1)), NOW + 400);
  return stub;
}

const statusOf = (stub: DurableObjectStub<Outbox>, room: Room = ROOM) =>
  runInDurableObject(stub, (_, { storage }) => outboxStatus(storage.sql, room, NOW + 1_000));

test('the reported age is that of the record that has waited longest', async () => {
  expect(await statusOf(await withRecords())).toMatchObject({ records: 3, oldestAgeMs: 1_000 });
});

test('an outbox is full once a whole batch no longer fits', async () => {
  const stub = await withRecords();

  expect(await statusOf(stub, { ...ROOM, records: 3 + 25 })).toMatchObject({ full: false });
  expect(await statusOf(stub, { ...ROOM, records: 3 + 24 })).toMatchObject({ full: true });
});

test('a batch that was never sent does not count as retried', async () => {
  const stub = await withRecords();
  await runInDurableObject(stub, (_, { storage: { sql } }) =>
    seal(sql, { kind: 'event', members: [{ seq: 1, device: 'a', from: 0, to: 2 }] }, 'f', NOW),
  );

  expect(await statusOf(stub)).toMatchObject({ retrying: 0, byStatus: {} });
});

describe('waiting records by kind', () => {
  const healthOf = (stub: DurableObjectStub<Outbox>, room: Room = ROOM) =>
    runInDurableObject(stub, (_, { storage }) => queueHealth(storage.sql, room));

  test('are absent from an empty outbox', async () => {
    expect(await healthOf(newOutbox())).toEqual({ waiting: [], full: undefined });
  });

  test('include users that are not accepted even if events are', async () => {
    const stub = newOutbox();
    const answer = rulingUpstream(({ kind }) => (kind === 'user' ? 503 : 200));
    await ingestAt(stub, delivery('a', userRecord(1)), NOW);
    await ingestAt(stub, delivery('b', eventRecord(1)), NOW);

    await passAt(stub, answer, NOW + 2_000);

    const { waiting } = await healthOf(stub);
    expect(waiting).toEqual([{ lane: null, kind: 'user', since: NOW, takenAt: 0 }]);
  });

  test('exclude records that wait only behind a failing batch', async () => {
    const stub = newOutbox();
    const breaking = rulingUpstream(({ records }) =>
      records.some(({ eventName }) => eventName === 'Poison') ? 503 : 200,
    );
    const evidence = noEvidence();
    await ingestAt(stub, delivery('a', eventRecord(1, { eventName: 'Poison' })), NOW);
    await passAt(stub, breaking, NOW + 2_000, { evidence });
    await ingestAt(stub, delivery('b', eventRecord(1)), NOW + 60_000);
    await passAt(stub, breaking, NOW + 62_000, { evidence });
    await ingestAt(stub, delivery('a', eventRecord(2)), NOW + 63_000);
    await ingestAt(stub, delivery('c', eventRecord(1)), NOW + 64_000);
    await passAt(stub, breaking, NOW + 66_000, { evidence });
    await ingestAt(stub, delivery('d', eventRecord(1)), NOW + 66_100);
    await passAt(stub, breaking, NOW + 67_200, { evidence });
    await passAt(stub, breaking, NOW + 200_000, { evidence });

    expect((await healthOf(stub)).waiting).toEqual([]);
  });

  test('include records for which there is no room', async () => {
    const stub = await withRecords();

    expect((await healthOf(stub, { ...ROOM, records: 3 + 24 })).full).toBe('records');
    expect((await healthOf(stub, { ...ROOM, bytes: 1 })).full).toBe('bytes');
  });
});
