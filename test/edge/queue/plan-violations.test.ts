import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import {
  addViolations,
  type CountedViolation,
  dropExpiredViolations,
  MAX_KINDS,
  NO_VIOLATIONS,
  type ViolationCounts,
  violationTally,
} from '../../../src/edge/queue/plan-violations.ts';
import type { Violations } from '../../../src/plan/off-plan.ts';
import { delivery, ingestAt, newOutbox } from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const DAY = 24 * 60 * 60 * 1000;

const PRICE = { of: 'Added to Cart', path: 'eventData.Price', rule: 'must be of type number, not string' };

const counted = (of: string, count: number, lastAt = NOW): CountedViolation => ({
  ...PRICE,
  of,
  count,
  lastAt,
});
const counts = (...kinds: CountedViolation[]): ViolationCounts => ({ kinds, others: 0 });

describe('counts of violations', () => {
  test('of one kind are added up, the most frequent first, with the later time', () => {
    const added = addViolations(
      [counts(counted('a', 1, NOW - 5)), counts(counted('b', 5), counted('a', 2, NOW - 9))],
      NOW,
    );

    expect(added).toEqual(counts(counted('b', 5), counted('a', 3, NOW - 5)));
  });

  test('that differ in event, path or rule stay separate', () => {
    const ways = [PRICE, { ...PRICE, of: 'x' }, { ...PRICE, path: 'x' }, { ...PRICE, rule: 'x' }];

    const added = addViolations([counts(...ways.map((way) => ({ ...way, count: 1, lastAt: NOW })))], NOW);

    expect(added.kinds).toHaveLength(4);
  });

  test('are dropped when a kind was not seen for a week', () => {
    const old = counts(counted('a', 9, NOW - 7 * DAY), counted('b', 1, NOW - 7 * DAY + 1));

    expect(addViolations([old], NOW).kinds.map(({ of }) => of)).toEqual(['b']);
  });

  test('keep the most frequent and latest kinds if there are too many, and report the rest as others', () => {
    const many = Array.from({ length: MAX_KINDS }, (_, n) => counted(`way ${n}`, 2, NOW - 1 - n)).reverse();

    const added = addViolations(
      [counts(...many), { kinds: [counted('new', 1), counted('most', 9)], others: 4 }],
      NOW,
    );

    expect(added.kinds).toHaveLength(MAX_KINDS);
    const names = added.kinds.map(({ of }) => of);
    expect(names[0]).toBe('most');
    expect(names.at(-1)).toBe('new');
    expect(names).not.toContain(`way ${MAX_KINDS - 1}`);
    expect(names).not.toContain(`way ${MAX_KINDS - 2}`);
    expect(names).toContain(`way ${MAX_KINDS - 3}`);
    expect(added.others).toBe(4 + 2 + 2);
  });

  test('find a repeated mistake among any number of earlier others', () => {
    const noise = counts(...Array.from({ length: MAX_KINDS }, (_, n) => counted(`way ${n}`, 2, NOW)));

    let all = addViolations([noise], NOW);
    for (let n = 1; n <= 100; n++) all = addViolations([all, counts(counted('real', 1, NOW + n))], NOW + n);

    expect(all.kinds[0]).toEqual(counted('real', 100, NOW + 100));
  });

  test('report no others either after a week without any', () => {
    expect(addViolations([{ kinds: [counted('a', 1, NOW)], others: 9 }], NOW + 7 * DAY)).toEqual(
      NO_VIOLATIONS,
    );
  });
});

describe('an outbox', () => {
  const read = (stub: DurableObjectStub<Outbox>, now = NOW) =>
    runInDurableObject(stub, (_, { storage }) => violationTally().read(storage.sql, now));

  const off = (records: Parameters<typeof delivery>[1][], violations: Violations) => ({
    ...delivery('a', ...records),
    violations,
  });

  test('counts each record once, however often it arrives, and keeps the count after an eviction', async () => {
    const stub = newOutbox();
    const records = [eventRecord(1), eventRecord(2)];
    const sent = off(records, { kinds: [{ ...PRICE, ids: [idOf(1), idOf(2)] }], others: 0 });

    await ingestAt(stub, sent, NOW);
    await evictDurableObject(stub);
    await ingestAt(stub, sent, NOW + 1);

    expect(await read(stub)).toEqual(counts({ ...PRICE, count: 2, lastAt: NOW }));
  });

  test('counts a refused record each time it arrives', async () => {
    const stub = newOutbox();
    const refused = off([], { kinds: [{ ...PRICE, ids: [idOf(1)] }], others: 0 });

    await ingestAt(stub, refused, NOW);
    await ingestAt(stub, refused, NOW + 1);

    expect((await read(stub)).kinds).toEqual([{ ...PRICE, count: 2, lastAt: NOW + 1 }]);
  });

  test('keeps ever new kinds in one row of bounded size', async () => {
    const stub = newOutbox();
    for (let flush = 0; flush < 20; flush++) {
      const kinds = Array.from({ length: 50 }, (_, n) => ({
        of: `${flush} ${n}`.padEnd(49, '\u{1f}'),
        path: `${flush} ${n}`.padEnd(100, '\u{1f}'),
        rule: PRICE.rule,
        ids: [idOf(flush * 50 + n)],
      }));
      await ingestAt(stub, off([], { kinds, others: 3 }), NOW + flush);
    }

    const { kinds, others } = await read(stub, NOW + 20);
    expect(kinds).toHaveLength(MAX_KINDS);
    expect(others).toBe(20 * 50 - MAX_KINDS + 20 * 3);
    const bytes = await runInDurableObject(stub, (_, { storage }) =>
      storage.sql.exec<{ bytes: number }>('SELECT SUM(LENGTH(counts)) AS bytes FROM off_plan').one(),
    );
    expect(bytes.bytes).toBeLessThan(250_000);
  });

  test('counts a record once if it is in one request twice', async () => {
    const stub = newOutbox();
    const sent = off([eventRecord(1)], { kinds: [{ ...PRICE, ids: [idOf(1), idOf(1)] }], others: 0 });
    await ingestAt(stub, sent, NOW);

    expect((await read(stub)).kinds).toEqual([{ ...PRICE, count: 1, lastAt: NOW }]);
  });

  test('forgets a kind not seen for a week even if nothing else arrives, and stays known until then', async () => {
    const stub = newOutbox();
    await ingestAt(stub, off([], { kinds: [{ ...PRICE, ids: [idOf(1)] }], others: 0 }), NOW);
    const drop = (now: number) =>
      runInDurableObject(stub, (_, { storage }) => [
        dropExpiredViolations(storage.sql, now),
        storage.sql.exec('SELECT * FROM off_plan').toArray().length,
      ]);

    expect(await drop(NOW + 7 * DAY - 1)).toEqual([true, 1]);
    expect(await drop(NOW + 7 * DAY)).toEqual([false, 0]);
  });

  test('is visited by the watchdog until its violations have expired', async () => {
    const stub = newOutbox();
    const sent = off([], { kinds: [{ ...PRICE, ids: [idOf(1)] }], others: 0 });
    const rows = () =>
      runInDurableObject(stub, (_, { storage }) => storage.sql.exec('SELECT * FROM off_plan').toArray());

    await ingestAt(stub, sent, Date.now() - 6 * DAY);
    expect(await stub.wake()).toBe(false);
    expect(await rows()).toHaveLength(1);

    const another = newOutbox();
    await ingestAt(another, sent, Date.now() - 30 * DAY);
    expect(await another.wake()).toBe(true);
    expect(
      await runInDurableObject(another, (_, { storage }) => violationTally().read(storage.sql, 0).kinds),
    ).toEqual([]);
  });

  test('writes once a minute, however many violations there are, and reports all of them', async () => {
    const written = await runInDurableObject(newOutbox(), (_, { storage: { sql } }) => {
      const tally = violationTally();
      const countAt = (now: number) => {
        tally.count(sql, { kinds: [{ ...PRICE, ids: [idOf(1)] }], others: 0 }, () => false, now);
        const [row] = sql.exec<{ counts: string }>('SELECT counts FROM off_plan').toArray();
        const { kinds }: ViolationCounts = JSON.parse(row?.counts ?? '{"kinds":[]}');
        return [kinds[0]?.count, tally.read(sql, now).kinds[0]?.count];
      };
      return [NOW, NOW + 1, NOW + 59_999, NOW + 60_000, NOW + 60_001].map(countAt);
    });

    expect(written).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [4, 4],
      [4, 5],
    ]);
  });

  test('has written all violations by the end of a pass, which violations start by themselves', async () => {
    const stub = newOutbox();
    const sent = off([], { kinds: [{ ...PRICE, ids: [idOf(1)] }], others: 0 });
    await stub.ingest('1/0', sent);
    await stub.ingest('1/0', sent);

    expect((await stub.status()).violations.kinds).toMatchObject([{ count: 2 }]);
    await runDurableObjectAlarm(stub);
    await evictDurableObject(stub);
    expect((await stub.status()).violations.kinds).toMatchObject([{ count: 2 }]);
  });

  test('without a plan reports nothing and writes nothing', async () => {
    const stub = newOutbox();
    await ingestAt(stub, delivery('a', eventRecord(1)), NOW);

    expect(await read(stub)).toEqual(NO_VIOLATIONS);
    expect(
      await runInDurableObject(stub, (_, { storage }) =>
        storage.sql.exec('SELECT * FROM off_plan').toArray(),
      ),
    ).toEqual([]);
  });
});
