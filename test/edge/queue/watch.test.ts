import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { count } from '../../../src/edge/queue/counters/tally.ts';
import type { Room } from '../../../src/edge/queue/room.ts';
import { queueWatch } from '../../../src/edge/queue/watch.ts';
import {
  delivery,
  ingestAt,
  newOutbox,
  passAt,
  ROOM,
  rulingUpstream,
  scriptedUpstream,
} from '../../fakes/outbox.ts';
import { eventRecord, userRecord } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:04:30Z');
const MINUTE = 60_000;

const watchOf = (stub: DurableObjectStub<Outbox>, now = NOW, room: Room = ROOM) =>
  runInDurableObject(stub, (_, { storage }) => queueWatch(storage.sql, room, now));

const counted = (stub: DurableObjectStub<Outbox>, what: Parameters<typeof count>[1], at: number) =>
  runInDurableObject(stub, (_, { storage }) => count(storage.sql, what, at));

test('an outbox that has never had a record has nothing to report', async () => {
  expect(await watchOf(newOutbox())).toEqual({
    oldestAt: null,
    stalledSince: null,
    used: expect.closeTo(0, 1),
    full: false,
    deadLetters: 0,
    unknown: 0,
  });
});

test('records that wait have an age, and no more once they are accepted', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', eventRecord(1)), NOW - 5_000);
  await ingestAt(stub, delivery('b', userRecord(1)), NOW - 3_000);

  expect(await watchOf(stub)).toMatchObject({ oldestAt: NOW - 5_000, stalledSince: NOW - 5_000 });
  await passAt(stub, scriptedUpstream(), NOW);
  expect(await watchOf(stub)).toMatchObject({ oldestAt: null, stalledSince: null });
});

test('records that wait are not stalled since before the last accepted call of their kind', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', eventRecord(1)), NOW - 10 * MINUTE);
  await passAt(stub, scriptedUpstream(), NOW - MINUTE);
  await ingestAt(stub, delivery('b', eventRecord(1)), NOW - 9 * MINUTE);

  expect(await watchOf(stub)).toMatchObject({ oldestAt: NOW - 9 * MINUTE, stalledSince: NOW - MINUTE });
});

test('a batch that is suspected counts until a later record of its kind is accepted', async () => {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', eventRecord(1)), NOW - 6 * MINUTE);
  await passAt(stub, scriptedUpstream(...Array(20).fill(503)), NOW - 5 * MINUTE);
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    sql.exec('UPDATE batch SET suspicions = 1, attempts = 1, isolating = 0');
  });
  expect(await watchOf(stub)).toMatchObject({
    oldestAt: NOW - 6 * MINUTE,
    stalledSince: NOW - 6 * MINUTE,
  });

  await runInDurableObject(stub, (_, { storage: { sql } }) =>
    count(sql, { taken: 1 }, NOW - MINUTE, { taken: 'event' }),
  );
  expect(await watchOf(stub)).toMatchObject({ oldestAt: null, stalledSince: null });
});

test('an import that waits is not late, but counts as stalled', async () => {
  const stub = newOutbox();
  await ingestAt(stub, { ...delivery('file', eventRecord(1)), lane: 'import' }, NOW - 60 * MINUTE);
  expect(await watchOf(stub)).toMatchObject({ oldestAt: null, stalledSince: NOW - 60 * MINUTE });

  await ingestAt(stub, { ...delivery('shop', eventRecord(1)), lane: 'server' }, NOW - MINUTE);
  expect(await watchOf(stub)).toMatchObject({ oldestAt: NOW - MINUTE });
});

test('the room is used by records, by dead letters, and by bytes', async () => {
  const stub = newOutbox();
  await counted(stub, { entered: 100, dead_letter: 50, delivered: 10 }, NOW);

  expect((await watchOf(stub, NOW, { ...ROOM, records: 180 })).used).toBe(0.5);
  expect((await watchOf(stub, NOW, { ...ROOM, records: 1_000, bytes: 1 })).used).toBeGreaterThan(1);
  expect(await watchOf(stub, NOW, { ...ROOM, records: 100 })).toMatchObject({ full: true });
});

describe('dead letters and calls of unknown outcome', () => {
  test('count for five minutes, the current one included', async () => {
    const stub = newOutbox();
    await counted(stub, { dead_letter: 4, unknown: 40 }, NOW - 5 * MINUTE);
    await counted(stub, { dead_letter: 3, unknown: 30 }, NOW - 4 * MINUTE);
    await counted(stub, { dead_letter: 2, unknown: 20 }, NOW - 1_000);

    expect(await watchOf(stub)).toMatchObject({ deadLetters: 5, unknown: 50 });
    expect(await watchOf(stub, NOW + MINUTE)).toMatchObject({ deadLetters: 2, unknown: 20 });
    expect(await watchOf(stub, NOW + 5 * MINUTE)).toMatchObject({ deadLetters: 0, unknown: 0 });
  });

  test('of an outbox that began only now all count', async () => {
    const stub = newOutbox();
    await counted(stub, { unknown: 2 }, NOW);

    expect(await watchOf(stub)).toMatchObject({ unknown: 2 });
  });

  test('do not count if they were taken back after a refusal streak', async () => {
    const stub = newOutbox();
    await counted(stub, { dead_letter: 5 }, NOW - MINUTE);
    await counted(stub, { requeued: 5 }, NOW);

    expect(await watchOf(stub)).toMatchObject({ deadLetters: 0 });
  });

  test('come from real passes: a refused record, and a call without an answer', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', eventRecord(1)), NOW - 5_000);
    await passAt(
      stub,
      rulingUpstream(() => 400),
      NOW,
    );
    await ingestAt(stub, delivery('b', eventRecord(1)), NOW - 5_000);
    await passAt(
      stub,
      rulingUpstream(() => 503),
      NOW,
    );

    expect(await watchOf(stub)).toMatchObject({ deadLetters: 1, unknown: 1 });
  });
});
