import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import type { Violations } from '../../src/edge/held-to-plan.ts';
import type { Outbox } from '../../src/edge/outbox.ts';
import {
  addViolations,
  type CountedViolation,
  MAX_KINDS,
  NO_VIOLATIONS,
  readViolations,
  type ViolationCounts,
} from '../../src/edge/violations.ts';
import { delivery, ingestAt, newOutbox } from '../fakes/outbox.ts';
import { eventRecord, idOf } from '../fakes/records.ts';

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

describe('counts', () => {
  test('of one way are added up, the most first, and the last time is the later one', () => {
    const added = addViolations(
      [counts(counted('a', 1, NOW - 5)), counts(counted('b', 5), counted('a', 2, NOW - 9))],
      NOW,
    );

    expect(added).toEqual(counts(counted('b', 5), counted('a', 3, NOW - 5)));
  });

  test('of ways that differ in event, path or rule stand apart', () => {
    const ways = [PRICE, { ...PRICE, of: 'x' }, { ...PRICE, path: 'x' }, { ...PRICE, rule: 'x' }];

    const added = addViolations([counts(...ways.map((way) => ({ ...way, count: 1, lastAt: NOW })))], NOW);

    expect(added.kinds).toHaveLength(4);
  });

  test('what was not seen for a week is gone', () => {
    const old = counts(counted('a', 9, NOW - 7 * DAY), counted('b', 1, NOW - 7 * DAY + 1));

    expect(addViolations([old], NOW).kinds.map(({ of }) => of)).toEqual(['b']);
  });

  test('where there are too many ways the rarest go, the oldest of them first, and are told as others', () => {
    const many = Array.from({ length: MAX_KINDS }, (_, n) => counted(`way ${n}`, 2, NOW - n)).reverse();

    const added = addViolations(
      [counts(...many), { kinds: [counted('new', 1), counted('most', 9)], others: 4 }],
      NOW,
    );

    expect(added.kinds).toHaveLength(MAX_KINDS);
    const names = added.kinds.map(({ of }) => of);
    expect(names[0]).toBe('most');
    expect(names).not.toContain('new');
    expect(names).not.toContain(`way ${MAX_KINDS - 1}`);
    expect(names).toContain(`way ${MAX_KINDS - 2}`);
    expect(added.others).toBe(4 + 1 + 2);
  });
});

describe('an outbox', () => {
  const read = (stub: DurableObjectStub<Outbox>, now = NOW) =>
    runInDurableObject(stub, (_, { storage }) => readViolations(storage.sql, now));

  const off = (records: Parameters<typeof delivery>[1][], violations: Violations) => ({
    ...delivery('a', ...records),
    violations,
  });

  test('counts each record once, however often it comes, and knows it after an eviction', async () => {
    const stub = newOutbox();
    const records = [eventRecord(1), eventRecord(2)];
    const sent = off(records, { kinds: [{ ...PRICE, ids: [idOf(1), idOf(2)] }], others: 0 });

    await ingestAt(stub, sent, NOW);
    await evictDurableObject(stub);
    await ingestAt(stub, sent, NOW + 1);

    expect(await read(stub)).toEqual(counts({ ...PRICE, count: 2, lastAt: NOW }));
  });

  test('counts what was refused, each time that it comes', async () => {
    const stub = newOutbox();
    const refused = off([], { kinds: [{ ...PRICE, ids: [idOf(1)] }], others: 0 });

    await ingestAt(stub, refused, NOW);
    await ingestAt(stub, refused, NOW + 1);

    expect((await read(stub)).kinds).toEqual([{ ...PRICE, count: 2, lastAt: NOW + 1 }]);
  });

  test('of ever new ways keeps no more than it keeps apart, in one row of a bounded size', async () => {
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

  test('without a plan has nothing to tell, and writes nothing', async () => {
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
