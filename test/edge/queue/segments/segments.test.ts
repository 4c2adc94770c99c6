import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { relayPasses } from '../../../../src/edge/delivery/relay-pass.ts';
import { readSettled, readTotals } from '../../../../src/edge/queue/counters/tally.ts';
import { waiting } from '../../../../src/edge/queue/counters/totals.ts';
import { eraseStep } from '../../../../src/edge/queue/erasure/erase.ts';
import { ingest } from '../../../../src/edge/queue/ingest.ts';
import type { StoredRecord } from '../../../../src/edge/queue/run.ts';
import { isOpenSegmentOld, turnOver } from '../../../../src/edge/queue/segments/turn-over.ts';
import {
  countStored,
  delivery,
  ingestAt,
  newOutbox,
  passAt,
  quietPorts,
  ROOM,
  rulingUpstream,
  SENDING_ON,
  scriptedUpstream,
  sentIds,
  storedRuns,
  turnOverAt,
} from '../../../fakes/outbox.ts';
import { eventRecord, events, idOf } from '../../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const MINUTE = 60_000;

const ids = (from: number, to: number) => events(from, to).map(({ id }) => id);

type Stub = ReturnType<typeof newOutbox>;

/** How many rows each table of runs has, settled or not. */
const rowsIn = (stub: Stub) =>
  runInDurableObject(stub, (_, { storage: { sql } }) =>
    Object.fromEntries(
      ['run_front', 'run_a', 'run_b'].map((table) => [
        table,
        sql.exec<{ rows: number }>(`SELECT COUNT(*) AS rows FROM ${table}`).one().rows,
      ]),
    ),
  );

const settledOf = (stub: Stub) => runInDurableObject(stub, (_, { storage }) => readSettled(storage.sql));

describe('a segment', () => {
  test('keeps what was delivered until the second turn-over, and sends none of it again', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const upstream = scriptedUpstream();
    await passAt(stub, upstream, NOW + 2_000);
    expect(await rowsIn(stub)).toEqual({ run_front: 0, run_a: 1, run_b: 0 });

    await turnOverAt(stub, NOW + 3_000);
    await passAt(stub, upstream, NOW + 5_000);
    expect(await rowsIn(stub)).toEqual({ run_front: 0, run_a: 1, run_b: 0 });

    await turnOverAt(stub, NOW + 6_000);
    await passAt(stub, upstream, NOW + 7_000);
    expect(await rowsIn(stub)).toEqual({ run_front: 0, run_a: 0, run_b: 0 });
    expect(sentIds(upstream)).toEqual([ids(1, 25)]);
    expect(await settledOf(stub)).toEqual([]);
  });

  test('moves its waiting runs to the front, and they are sent before later ones', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 3)), NOW);
    await turnOverAt(stub, NOW);
    await ingestAt(stub, delivery('a', ...events(4, 6)), NOW);
    await turnOverAt(stub, NOW);
    await ingestAt(stub, delivery('a', ...events(7, 9)), NOW);
    expect(await rowsIn(stub)).toEqual({ run_front: 1, run_a: 1, run_b: 1 });

    const upstream = scriptedUpstream();
    await passAt(stub, upstream, NOW + 2_000);

    expect(sentIds(upstream)).toEqual([ids(1, 9)]);
    expect(await rowsIn(stub)).toMatchObject({ run_front: 0 });
  });

  test('with more waiting runs than may be left drains on, and takes no more runs', async () => {
    const stub = newOutbox();
    for (const device of ['a', 'b', 'c']) await ingestAt(stub, delivery(device, ...events(1, 5)), NOW);
    await turnOverAt(stub, NOW, 2);
    await ingestAt(stub, delivery('d', ...events(1, 5)), NOW);

    await turnOverAt(stub, NOW, 2);

    expect(await rowsIn(stub)).toEqual({ run_front: 0, run_a: 3, run_b: 1 });
    for (const device of ['a', 'd'])
      expect(await ingestAt(stub, delivery(device, ...events(1, 5)), NOW)).toMatchObject({ accepted: 0 });
    await passAt(stub, scriptedUpstream(), NOW + 2_000);
    await turnOverAt(stub, NOW + 2_000, 2);
    expect(await rowsIn(stub)).toEqual({ run_front: 0, run_a: 0, run_b: 1 });
  });

  test('is turned over by the watchdog once it is a quarter of an hour old, and not if both are empty', async () => {
    const stub = newOutbox();
    const isDue = (now: number) =>
      runInDurableObject(stub, (_, { storage }) => isOpenSegmentOld(storage.sql, now));
    expect(await isDue(NOW)).toBe(false);

    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    await turnOverAt(stub, NOW);
    await passAt(stub, scriptedUpstream(), NOW);

    expect(await isDue(NOW + 15 * MINUTE - 1)).toBe(false);
    expect(await isDue(NOW + 15 * MINUTE)).toBe(true);
    // The clock was set back.
    expect(await isDue(NOW - 1)).toBe(true);
    await turnOverAt(stub, NOW + 15 * MINUTE);
    expect(await isDue(NOW + 45 * MINUTE)).toBe(false);
  });

  test('stays as it is if turning it over fails', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    await turnOverAt(stub, NOW);
    await ingestAt(stub, delivery('a', ...events(6, 10)), NOW);
    const before = await rowsIn(stub);

    await runInDurableObject(stub, (_, { storage }) => {
      expect(() => turnOver(failingOn(storage, 'DROP TABLE'), NOW)).toThrow('locked');
    });

    expect(await rowsIn(stub)).toEqual(before);
    expect(await ingestAt(stub, delivery('a', ...events(1, 11)), NOW)).toMatchObject({
      accepted: 1,
      duplicates: 10,
    });
    const upstream = scriptedUpstream();
    await passAt(stub, upstream, NOW + 2_000);
    expect(sentIds(upstream)).toEqual([ids(1, 11)]);
  });

  test('is dropped though a step of erasing has read only some of the runs', async () => {
    const stub = newOutbox();
    for (const device of ['a', 'b', 'c', 'd']) await ingestAt(stub, delivery(device, ...events(1, 5)), NOW);

    await runInDurableObject(stub, (_, { storage }) => {
      const size = { rows: 100, characters: 1 };
      expect(eraseStep(storage, { userId: 'nobody' }, undefined, NOW, size).next).toBeDefined();
      turnOver(storage, NOW);
    });

    expect(await rowsIn(stub)).toEqual({ run_front: 0, run_a: 4, run_b: 0 });
  });

  test('of a large outbox is emptied run by run, to make room', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 25)), NOW);
    const upstream = scriptedUpstream();

    await runInDurableObject(stub, (_, { storage }) =>
      relayPasses({
        ...quietPorts(),
        storage: withSql(storage, { databaseSize: 2_000_000_000 }),
        upstream: upstream.answer,
        now: () => NOW + 2_000,
      })(),
    );
    await passAt(stub, upstream, NOW + 9_000);

    expect(sentIds(upstream)).toEqual([ids(1, 25)]);
    await runInDurableObject(stub, (_, { storage: { sql } }) =>
      expect(sql.exec('SELECT taken, count, records FROM run_a').toArray()).toEqual([
        { taken: 25, count: 25, records: '[]' },
      ]),
    );
    expect(await ingestAt(stub, delivery('a', ...events(1, 25)), NOW)).toMatchObject({ accepted: 0 });
  });

  test('marks runs in their own rows if too many intervals of them are settled', async () => {
    const stub = newOutbox();
    await runInDurableObject(stub, (_, { storage: { sql } }) => {
      // As if every other one of many later runs had been settled.
      const scattered = Array.from({ length: 500 }, (_, n) => 1_000 + 2 * n).join();
      sql.exec('INSERT INTO minute (at, totals, settled) VALUES (?, ?, ?)', NOW, '{}', scattered);
    });
    for (const device of ['a', 'b', 'c']) await ingestAt(stub, delivery(device, ...events(1, 5)), NOW);
    const upstream = rulingUpstream(({ records }) => (records.length > 0 ? 200 : 500));

    await passAt(stub, upstream, NOW + 2_000);
    await passAt(stub, upstream, NOW + 9_000);

    expect(await settledOf(stub)).toHaveLength(500);
    expect(upstream.calls).toHaveLength(1);
    expect(await runInDurableObject(stub, (_, { storage }) => storedRuns(storage.sql))).toEqual([]);
  });
});

describe('an id is known', () => {
  const again = (stub: Stub) => ingestAt(stub, delivery('a', ...events(1, 6)), NOW);
  const KNOWN = { accepted: 1, duplicates: 5 };

  test('before its segment is turned over', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);

    expect(await again(stub)).toMatchObject(KNOWN);
  });

  test('after a restart', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    await evictDurableObject(stub);

    expect(await again(stub)).toMatchObject(KNOWN);
  });

  test('after a turn-over, and a restart', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    await turnOverAt(stub, NOW);
    await evictDurableObject(stub);

    expect(await again(stub)).toMatchObject(KNOWN);
    await turnOverAt(stub, NOW);
    await turnOverAt(stub, NOW);
    expect(await again(stub)).toMatchObject({ accepted: 0, duplicates: 6 });
  });

  test('in each of several page loads and segments of one flush', async () => {
    const stub = newOutbox();
    const mixed = [eventRecord(1), eventRecord(1, { id: idOf(1, 'B'.repeat(22)) }), eventRecord(300)];
    await ingestAt(stub, delivery('a', ...mixed.slice(0, 2)), NOW);
    await turnOverAt(stub, NOW);
    await ingestAt(stub, delivery('a', ...mixed.slice(2)), NOW);

    expect(await ingestAt(stub, delivery('a', ...mixed, eventRecord(301)), NOW)).toMatchObject({
      accepted: 1,
      duplicates: 3,
    });
  });

  test('only if its record was stored: a failed flush leaves no id behind', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', ...events(1, 5)), NOW);
    await runInDurableObject(stub, (_, { storage }) => {
      const { runs, ...sent } = delivery('a', ...events(6, 9));
      // No value that SQLite takes, so the row fails after the ids were compared.
      const unstorable = runs.map((run) => ({ ...run, records: Symbol('none') as unknown as string }));
      expect(() => ingest(storage, { ...sent, runs: unstorable }, SENDING_ON, ROOM, NOW)).toThrow();
    });

    expect(await ingestAt(stub, delivery('a', ...events(6, 9)), NOW)).toMatchObject({ accepted: 4 });
  });
});

/** A record by its device and id. */
const nameOf = ({ id, eventData }: StoredRecord) => `${(eventData as { device: string }).device} ${id}`;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('flush' as const),
      device: fc.constantFrom('a', 'b', 'c'),
      // How many records of the device are sent again, and how many are new.
      again: fc.nat({ max: 4 }),
      fresh: fc.nat({ max: 6 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      statuses: fc.array(fc.constantFrom(200, 200, 200, 503, 400), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn over' as const), maxLeft: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

test('every record is stored once and delivered once, in its browser’s order, whenever segments are turned over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const stub = newOutbox();
      const made = new Map<string, number>();
      let now = NOW;
      const arrived: string[] = [];
      const takeAll = (statuses: number[]) => {
        const upstream = scriptedUpstream();
        return {
          calls: upstream.calls,
          answer: async (call: Parameters<typeof upstream.answer>[0]) => {
            const status = statuses.shift() ?? 200;
            const { status: _, ...answer } = await upstream.answer(call);
            if (status === 200) arrived.push(...call.records.map(nameOf));
            return { ...answer, status };
          },
        };
      };
      for (const each of steps) {
        now += 70_000;
        if (each.do === 'restart') await restart(stub);
        if (each.do === 'turn over') await turnOverAt(stub, now, each.maxLeft);
        if (each.do === 'pass') await passAt(stub, takeAll([...each.statuses]), now);
        if (each.do !== 'flush') continue;
        const before = made.get(each.device) ?? 0;
        const from = Math.max(1, before + 1 - each.again);
        const to = before + each.fresh;
        made.set(each.device, to);
        const records = Array.from({ length: Math.max(0, to - from + 1) }, (_, n) =>
          eventRecord(from + n, { eventData: { device: each.device } }),
        );
        expect(await ingestAt(stub, delivery(each.device, ...records), now)).toMatchObject({
          accepted: each.fresh,
        });
      }
      for (let round = 0; round < 60; round++) {
        now += 70_000;
        await turnOverAt(stub, now);
        await passAt(stub, takeAll([]), now);
      }
      await turnOverAt(stub, now);
      await turnOverAt(stub, now);

      await runInDurableObject(stub, (_, { storage: { sql } }) => {
        const dead = sql.exec<{ record: string }>('SELECT record FROM dead').toArray();
        expect(waiting(readTotals(sql))).toBe(0);
        expect(countStored(sql)).toBe(0);
        const gone = dead.map(({ record }) => nameOf(JSON.parse(record)));
        const all = [...arrived, ...gone].sort();
        const wanted = [...made].flatMap(([device, to]) =>
          Array.from({ length: to }, (_, n) => `${device} ${idOf(n + 1)}`),
        );
        expect(all).toEqual(wanted.sort());
        for (const device of made.keys()) {
          const own = arrived.filter((id) => id.startsWith(`${device} `));
          const order = own.map((id) => Number(id.slice(id.lastIndexOf('.') + 1)));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
      });
      expect(await rowsIn(stub)).toEqual({ run_front: 0, run_a: 0, run_b: 0 });
    }),
    { numRuns: 30 },
  );
});

/** A storage whose SQL fails in statements that begin like this. */
function failingOn(storage: DurableObjectStorage, start: string): DurableObjectStorage {
  return withSql(storage, {
    exec: (query: string, ...bindings: unknown[]) => {
      if (query.startsWith(start)) throw new Error('database table is locked');
      return storage.sql.exec(query, ...bindings);
    },
  });
}

/** A storage whose SQL differs in some members. */
function withSql(
  storage: DurableObjectStorage,
  members: Readonly<Record<string, unknown>>,
): DurableObjectStorage {
  const sql = new Proxy(storage.sql, {
    get: (target, name) => {
      if (name in members) return members[String(name)];
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return new Proxy(storage, {
    get: (target, name) => {
      if (name === 'sql') return sql;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function restart(stub: Stub): Promise<void> {
  // Only an object that runs can be evicted.
  await rowsIn(stub);
  await evictDurableObject(stub);
}
