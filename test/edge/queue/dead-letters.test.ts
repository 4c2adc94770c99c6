import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { requeue } from '../../../src/edge/queue/dead-letters/dead-letters.ts';
import { discard, discardExpired, replay } from '../../../src/edge/queue/dead-letters/operate.ts';
import { outboxStatus } from '../../../src/edge/queue/status.ts';
import {
  deadLettersOf,
  delivery,
  GRANTED,
  ingestAt,
  newOutbox,
  OPEN,
  passAt,
  ROOM,
  rulingUpstream,
  scriptedUpstream,
  sentIds,
} from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const LATER = NOW + 3_600_000;

const poison = (seq: number) => eventRecord(seq, { eventName: 'Poison' });
const refusing = () =>
  rulingUpstream(({ records }) => (records.some(({ eventName }) => eventName === 'Poison') ? 400 : 200));

/** An outbox that has given up these records of one browser. */
async function withDeadLetters(...seqs: number[]): Promise<DurableObjectStub<Outbox>> {
  const stub = newOutbox();
  await ingestAt(stub, delivery('a', ...seqs.map(poison)), NOW);
  await passAt(stub, refusing(), NOW + 1_000);
  return stub;
}

const deadLetterIds = async (stub: DurableObjectStub<Outbox>) =>
  (await deadLettersOf(stub)).map(({ id }) => id);
const statusOf = (stub: DurableObjectStub<Outbox>) =>
  runInDurableObject(stub, (_, { storage }) => outboxStatus(storage.sql, ROOM, LATER));
const newRequestId = () => crypto.randomUUID().replaceAll('-', '');

test('are listed in pages, oldest first', async () => {
  const stub = await withDeadLetters(1, 2, 3, 4, 5);

  const first = await stub.deadLetters(0, 3);
  const rest = await stub.deadLetters(first.deadLetters.at(-1)?.id ?? 0, 3);

  expect([first.more, rest.more]).toEqual([true, false]);
  const listed = [...first.deadLetters, ...rest.deadLetters].map(({ record }) => JSON.parse(record).id);
  expect(listed).toEqual([1, 2, 3, 4, 5].map((n) => idOf(n)));
});

describe('replayed dead letters', () => {
  test('are sent again like new records and are no longer dead letters', async () => {
    const stub = await withDeadLetters(1, 2, 3);
    const [, second] = await deadLetterIds(stub);

    const replayed = await runInDurableObject(stub, (_, { storage }) =>
      replay(storage, { ids: [second ?? 0, 999] }, 10, LATER),
    );
    const upstream = scriptedUpstream();
    await passAt(stub, upstream, LATER + 1_000);

    expect(replayed).toBe(1);
    expect(sentIds(upstream)).toEqual([[idOf(2)]]);
    expect(await statusOf(stub)).toMatchObject({ records: 0, deadLetters: 2 });
  });

  test('can be replayed all together, a few at a time, and none twice even if refused again', async () => {
    const stub = await withDeadLetters(1, 2, 3, 4, 5);
    const replayAll = () =>
      runInDurableObject(stub, (_, { storage }) => replay(storage, { until: LATER }, 2, LATER));

    const steps = [await replayAll(), await replayAll()];
    await passAt(stub, refusing(), LATER + 2_000);
    steps.push(await replayAll(), await replayAll());

    expect(steps).toEqual([2, 2, 1, 0]);
    expect(await statusOf(stub)).toMatchObject({ records: 1, deadLetters: 4 });
  });

  test('keep their acceptance time if they come back', async () => {
    const stub = await withDeadLetters(1);
    await runInDurableObject(stub, (_, { storage }) => replay(storage, { until: LATER }, 10, LATER));

    await passAt(stub, refusing(), LATER + 1_000);

    expect(await deadLettersOf(stub)).toMatchObject([{ acceptedAt: NOW, givenUpAt: LATER + 1_000 }]);
  });

  test('set the alarm, because nothing else may wake the outbox', async () => {
    const stub = await withDeadLetters(1);

    await stub.replay({ until: Date.now() }, 10);

    const alarm = await runInDurableObject(stub, async (_, { storage }) => {
      const set = await storage.getAlarm();
      await storage.deleteAlarm();
      return set;
    });
    expect(alarm).not.toBeNull();
  });

  test('do not delay the browser’s own records', async () => {
    const stub = await withDeadLetters(1);
    await ingestAt(stub, delivery('a', eventRecord(2)), NOW);
    const upstream = scriptedUpstream();

    await passAt(stub, upstream, NOW + 2_000);

    expect(sentIds(upstream)).toEqual([[idOf(2)]]);
  });
});

test('have a permanent id, so that a repeated request never meets another letter', async () => {
  const stub = await withDeadLetters(1);
  const [first] = await deadLetterIds(stub);
  expect(await stub.discard({ ids: [first ?? 0] }, 10)).toBe(1);
  await ingestAt(stub, delivery('b', poison(1)), NOW);
  await passAt(stub, refusing(), NOW + 1_000);

  expect(await stub.discard({ ids: [first ?? 0] }, 10)).toBe(0);
  expect(await deadLetterIds(stub)).toHaveLength(1);
});

test('are read at once only as far as fits into a message between objects', async () => {
  const stub = newOutbox();
  const large = 'x'.repeat(900_000);
  await runInDurableObject(stub, (_, { storage }) => {
    for (let n = 1; n <= 20; n++)
      storage.sql.exec(
        `INSERT INTO dead (device, kind, accepted_at, given_up_at, status, attempts, proven, words, record)
         VALUES ('a', 'event', 0, 0, 400, 1, 0, '', ?)`,
        JSON.stringify({ id: idOf(n), large }),
      );
  });

  const page = await stub.deadLetters(0, 500);

  expect(page.more).toBe(true);
  expect(page.deadLetters.length).toBeGreaterThan(0);
  expect(page.deadLetters.length).toBeLessThan(10);
  expect(await stub.replay({ until: NOW }, 500)).toBe(20);
  await runInDurableObject(stub, (_, { storage }) => storage.deleteAlarm());
});

test('discarded dead letters are gone and counted', async () => {
  const stub = await withDeadLetters(1, 2, 3);

  const discarded = await runInDurableObject(stub, (_, { storage }) =>
    discard(storage, { until: LATER }, 10, LATER),
  );

  expect(discarded).toBe(3);
  expect(await deadLetterIds(stub)).toEqual([]);
  expect(await statusOf(stub)).toMatchObject({ deadLetters: 0, totals: { dead_letter: 3, discarded: 3 } });
});

describe('requeued dead letters', () => {
  test('go first, one by one and in order, before later records of their browser', async () => {
    const stub = await withDeadLetters(1, 2, 3);
    await ingestAt(stub, delivery('a', eventRecord(4), eventRecord(5)), NOW);

    const requeued = await runInDurableObject(stub, (_, { storage }) =>
      requeue(storage, { since: NOW, until: undefined }, newRequestId, LATER),
    );
    const upstream = scriptedUpstream();
    await passAt(stub, upstream, LATER);

    expect(requeued).toBe(3);
    expect(sentIds(upstream)).toEqual([[idOf(1)], [idOf(2)], [idOf(3)], [idOf(4), idOf(5)]]);
    expect(await statusOf(stub)).toMatchObject({ records: 0, deadLetters: 0, totals: { requeued: 3 } });
  });

  test('spend only the allowance for refused records, because they may be refused again', async () => {
    const stub = await withDeadLetters(1, 2);
    await runInDurableObject(stub, (_, { storage }) =>
      requeue(storage, { since: NOW, until: undefined }, newRequestId, LATER),
    );
    const isolatingRequests: boolean[] = [];

    await passAt(stub, scriptedUpstream(), LATER, {
      gate: {
        ...OPEN,
        take: async ({ isolating }) => {
          isolatingRequests.push(isolating);
          return GRANTED;
        },
      },
    });

    expect(isolatingRequests).toEqual([true, true]);
  });

  test('do not include those from before the outage', async () => {
    const stub = await withDeadLetters(1);

    const requeued = await runInDurableObject(stub, (_, { storage }) =>
      requeue(storage, { since: NOW + 60_000, until: undefined }, newRequestId, LATER),
    );

    expect(requeued).toBe(0);
    expect(await deadLetterIds(stub)).toHaveLength(1);
  });
});

test('dead letters that are too old are discarded and counted, and younger ones stay', async () => {
  const stub = await withDeadLetters(1, 2);
  const DAY = 24 * 60 * 60 * 1000;
  const at = NOW + 1_000 + 30 * DAY;
  const expire = (now: number) =>
    runInDurableObject(stub, (_, { storage }) => discardExpired(storage, 30, now));
  await ingestAt(stub, delivery('b', poison(3)), NOW);
  await passAt(stub, refusing(), NOW + 5_000);

  await expire(at - 1);
  expect(await statusOf(stub)).toMatchObject({ deadLetters: 3 });
  await expire(at);
  expect(await statusOf(stub)).toMatchObject({ deadLetters: 1, totals: { discarded: 2 } });
});
