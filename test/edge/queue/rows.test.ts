import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import {
  ROWS_READ_PER_FLUSH,
  ROWS_READ_TO_SEE_IF_FULL,
  ROWS_WRITTEN_PER_CALL,
  ROWS_WRITTEN_PER_FLUSH,
  ROWS_WRITTEN_PER_PAGE_LOAD,
  ROWS_WRITTEN_PER_TURN_OVER,
} from '../../../bench/rows.ts';
import { type RelayPassPorts, relayPasses } from '../../../src/edge/delivery/relay-pass.ts';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { readTotals } from '../../../src/edge/queue/counters/tally.ts';
import { ingest } from '../../../src/edge/queue/ingest.ts';
import { turnOver } from '../../../src/edge/queue/segments/turn-over.ts';
import {
  answerOf,
  delivery,
  ingestAt,
  newOutbox,
  OPEN,
  passAt,
  quietPorts,
  REFUSED,
  ROOM,
  SENDING_ON,
  scriptedUpstream,
  turnOverAt,
} from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';

// Rows read and written are what Cloudflare bills. https://developers.cloudflare.com/durable-objects/platform/pricing/

const NOW = Date.parse('2026-11-23T12:00:00Z');
const DAY = 86_400_000;

type Rows = { statements: number; read: number; written: number };

const events = (count: number, from = 1) => Array.from({ length: count }, (_, n) => eventRecord(from + n));

/** Counts the statements and rows of an action on a storage, and not those of an action before it. */
async function rowsOf(
  stub: DurableObjectStub<Outbox>,
  act: (storage: DurableObjectStorage) => unknown,
  before: (storage: DurableObjectStorage) => unknown = () => {},
): Promise<Rows> {
  return runInDurableObject(stub, async (_, { storage }) => {
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
    const counting: SqlStorage = new Proxy(storage.sql, {
      get: (target, name) =>
        name === 'exec'
          ? (query: string, ...bindings: unknown[]) => {
              const cursor = target.exec(query, ...bindings);
              cursors.push(cursor);
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
    await before(counted);
    cursors.length = 0;
    await act(counted);
    await storage.deleteAlarm();
    return {
      statements: cursors.length,
      read: cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
      written: cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
    };
  });
}

function passOf(storage: DurableObjectStorage, ports: Partial<RelayPassPorts> = {}): Promise<unknown> {
  return relayPasses({ ...quietPorts(), storage, now: () => NOW + 1_000, ...ports })();
}

const failing = { upstream: async () => answerOf(503) };

describe('rows written', () => {
  test.each([1, 5, 25])('by a flush of %d new records of one kind: one, and the alarm’s', async (count) => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(count)), NOW);

    const { written } = await rowsOf(stub, (storage) =>
      ingest(storage, delivery('a', ...events(count, count + 1)), { ...SENDING_ON, alarmAt: NOW }, ROOM, NOW),
    );

    expect(written).toBe(ROWS_WRITTEN_PER_FLUSH);
  });

  test('by a flush with unverified users: no more, though they are counted', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(5)), NOW);
    const unverified = { ...delivery('a', ...events(5, 6)), unverified: true };

    const { written } = await rowsOf(stub, (storage) =>
      ingest(storage, unverified, { ...SENDING_ON, alarmAt: NOW }, ROOM, NOW),
    );

    expect(written).toBe(ROWS_WRITTEN_PER_FLUSH);
    expect(await runInDurableObject(stub, (_, { storage }) => readTotals(storage.sql).unverified)).toBe(5);
  });

  test('by a flush with plan violations: one more for any number of kinds, and none for a repeated flush', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(5)), NOW);
    const kinds = events(5, 6).flatMap(({ id }) =>
      Array.from({ length: 10 }, (_, way) => ({ of: id, path: `${way}`, rule: 'is off', ids: [id] })),
    );
    const offPlan = { ...delivery('a', ...events(5, 6)), violations: { kinds, others: 0 } };

    const first = await rowsOf(stub, (storage) =>
      ingest(storage, offPlan, { ...SENDING_ON, alarmAt: NOW }, ROOM, NOW),
    );
    const again = await rowsOf(stub, (storage) => ingest(storage, offPlan, SENDING_ON, ROOM, NOW));

    expect(first.written).toBe(ROWS_WRITTEN_PER_FLUSH + 1);
    expect(again.written).toBe(1);
  });

  test('by a repeated flush: one, to count it', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(5)), NOW);

    const { written } = await rowsOf(stub, (storage) =>
      ingest(storage, delivery('a', ...events(5)), SENDING_ON, ROOM, NOW),
    );

    expect(written).toBe(1);
  });

  test('by a flush when there is no room: none', async () => {
    const stub = newOutbox();

    const { written } = await rowsOf(stub, (storage) =>
      ingest(storage, delivery('a', ...events(5)), SENDING_ON, { ...ROOM, records: 4 }, NOW),
    );

    expect(written).toBe(0);
  });

  test('by a flush of a sender over its share: none, because a flood must not be billed', async () => {
    const stub = newOutbox();

    const { written } = await rowsOf(stub, (storage) =>
      ingest(storage, delivery('a', ...events(5)), SENDING_ON, ROOM, NOW, { shares: { enter: () => 2_000 } }),
    );

    expect(written).toBe(0);
  });

  test('by an accepted call: the seal and its end, and the minute, whatever flushes are in it', async () => {
    const stub = newOutbox();
    for (let device = 0; device < 5; device++)
      await ingestAt(stub, delivery(`device ${device}`, ...events(5)), NOW);

    const { written } = await rowsOf(stub, (storage) => passOf(storage));

    expect(written).toBe(ROWS_WRITTEN_PER_CALL);
  });

  test('by a turn-over: one for each page load, and a few, however much was delivered', async () => {
    const stub = newOutbox();
    for (let device = 0; device < 20; device++)
      for (let flush = 0; flush < 5; flush++)
        await ingestAt(stub, delivery(`device ${device}`, ...events(5, 1 + 5 * flush)), NOW);
    await passAt(stub, scriptedUpstream(), NOW + 1_000);
    await turnOverAt(stub, NOW);
    await turnOverAt(stub, NOW);
    for (let device = 0; device < 20; device++)
      for (let flush = 0; flush < 5; flush++)
        await ingestAt(stub, delivery(`device ${device}`, ...events(5, 26 + 5 * flush)), NOW);

    const { written } = await rowsOf(stub, (storage) => turnOver(storage, NOW));

    expect(written).toBe(20 * ROWS_WRITTEN_PER_PAGE_LOAD + ROWS_WRITTEN_PER_TURN_OVER);
  });

  test('by a failed call: the seal and its outcome, and the minute; a retry also writes that it left', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(25)), NOW);

    const failed = await rowsOf(stub, (storage) => passOf(storage, failing));
    const again = await rowsOf(stub, (storage) => {
      storage.sql.exec('UPDATE batch SET due_at = 0');
      return passOf(storage, failing);
    });

    expect(failed.written).toBe(3);
    expect(again.written).toBe(1 + 3);
  });
});

describe('rows read', () => {
  test('by a flush: a few, however large the backlog', async () => {
    const readOf = async (backlog: number) => {
      const stub = newOutbox();
      for (let n = 0; n < backlog; n++) await ingestAt(stub, delivery(`device ${n}`, ...events(5)), NOW);
      return rowsOf(
        stub,
        (storage) => ingest(storage, delivery('new', ...events(5)), SENDING_ON, ROOM, NOW),
        (storage) => ingest(storage, delivery('one before', ...events(5)), SENDING_ON, ROOM, NOW),
      );
    };

    expect((await readOf(300)).read).toBeLessThanOrEqual((await readOf(60)).read);
    const { batches, perRun, runs } = ROWS_READ_TO_SEE_IF_FULL;
    expect((await readOf(300)).read).toBeLessThanOrEqual(ROWS_READ_PER_FLUSH + batches + perRun * runs);
  });

  test('by a call: a few for each flush in it, however large the backlog behind it', async () => {
    const readOf = async (backlog: number) => {
      const stub = newOutbox();
      for (let n = 0; n < backlog; n++) await ingestAt(stub, delivery(`device ${n}`, ...events(5)), NOW);
      let calls = 0;
      const { read } = await rowsOf(stub, (storage) =>
        passOf(storage, {
          now: () => NOW,
          gate: {
            ...OPEN,
            take: async (request) => {
              calls += 1;
              return calls > 10 ? { ...REFUSED, retryInMs: 60_000 } : OPEN.take(request);
            },
          },
        }),
      );
      return read / 10;
    };

    const [small, large] = [await readOf(60), await readOf(600)];
    expect(large).toBeLessThanOrEqual(small * 1.1);
    expect(large).toBeLessThanOrEqual(120);
  });
});

test('a flush runs three statements, and one more from the sixth day on', async () => {
  const stub = newOutbox();
  const statementsOn = async (day: number) => {
    const now = NOW + day * DAY;
    await ingestAt(stub, delivery('a', eventRecord(1 + day)), now);
    await turnOverAt(stub, now);
    const flush = (device: string) => (storage: DurableObjectStorage) =>
      ingest(storage, delivery(device, ...events(25)), { ...SENDING_ON, alarmAt: now }, ROOM, now);
    // The first one reads what the outbox then has in memory.
    return (await rowsOf(stub, flush(`second on day ${day}`), flush(`first on day ${day}`))).statements;
  };

  const statements: number[] = [];
  for (let day = 0; day < 9; day++) statements.push(await statementsOn(day));

  expect(statements).toEqual([3, 3, 3, 3, 3, 4, 4, 4, 4]);
});
