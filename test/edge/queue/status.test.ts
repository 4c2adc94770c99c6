import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import type { Room } from '../../../src/edge/queue/ingest.ts';
import { seal } from '../../../src/edge/queue/sealed-batches.ts';
import { outboxStatus } from '../../../src/edge/queue/status.ts';
import { delivery, ingestAt, newOutbox, ROOM } from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

async function withRecords(): Promise<DurableObjectStub<Outbox>> {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', eventRecord(1), eventRecord(2)), NOW);
  await ingestAt(stub, delivery('b', eventRecord(1)), NOW + 400);
  return stub;
}

const statusOf = (stub: DurableObjectStub<Outbox>, room: Room = ROOM) =>
  runInDurableObject(stub, (_, { storage }) => outboxStatus(storage.sql, room, NOW + 1_000));

test('the age told is that of the record that has waited longest', async () => {
  expect(await statusOf(await withRecords())).toMatchObject({ records: 3, oldestAgeMs: 1_000 });
});

test('it is full once a whole batch does not fit any more', async () => {
  const stub = await withRecords();

  expect(await statusOf(stub, { ...ROOM, records: 3 + 25 })).toMatchObject({ full: false });
  expect(await statusOf(stub, { ...ROOM, records: 3 + 24 })).toMatchObject({ full: true });
});

test('a batch that was not sent yet is not one that is retried', async () => {
  const stub = await withRecords();
  await runInDurableObject(stub, (_, { storage: { sql } }) =>
    seal(sql, { kind: 'event', members: [{ seq: 1, device: 'a', from: 0, to: 2 }] }, 'f', NOW),
  );

  expect(await statusOf(stub)).toMatchObject({ retrying: 0, byStatus: {} });
});
