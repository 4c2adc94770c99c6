import { expect, test } from 'vitest';
import {
  callLedger,
  deadLetterLedger,
  intakeLedger,
  recordLedger,
} from '../../../src/admin/status/ledger.ts';
import { status } from '../status.ts';

type Rows = ReturnType<typeof recordLedger>;

const amounts = (rows: Rows) => Object.fromEntries(rows.map(({ name, amount }) => [name, amount]));

/** Each sum, with what the rows before it come to. */
function sums(rows: Rows): readonly (readonly [number, number])[] {
  let running = 0;
  return rows.flatMap(({ amount, isSum }) => {
    const before = running;
    running = isSum ? 0 : running + amount;
    return isSum ? [[amount, before] as const] : [];
  });
}

test('a received record is delivered, a dead letter, or waiting', () => {
  const rows = recordLedger(
    status({
      totals: { accepted: 100, replayed: 2, delivered: 80, dead_letter: 5 },
      backlog: { records: 17 },
    }),
  );

  expect(amounts(rows)).toMatchObject({ received: 102, waiting: 17, 'accounted for': 102 });
  expect(rows.map(({ name }) => name)).not.toContain('between two counts');
});

test('every table adds up, even if outboxes were counted at different times', () => {
  const figures = status({
    totals: {
      accepted: 100,
      replayed: 2,
      delivered: 81,
      dead_letter: 7,
      requeued: 2,
      discarded: 1,
      erased: 1,
      duplicate: 3,
      rejected: 2,
      expired: 1,
      calls: 9,
      taken: 5,
      unknown: 4,
    },
    backlog: { records: 17 },
    deadLetters: 2,
  });

  const tables = [recordLedger, deadLetterLedger, intakeLedger, callLedger].map((ledger) => ledger(figures));

  for (const [sum, before] of tables.flatMap(sums)) expect(sum).toBe(before);
  expect(amounts(tables[0] ?? [])).toMatchObject({ 'between two counts': -2 });
});

test('the tables use the words of the documents', () => {
  const figures = status({ totals: { accepted: 9, dead_letter: 4, calls: 5, taken: 5 } });

  const tables = [recordLedger, deadLetterLedger, intakeLedger, callLedger].map((ledger) => ledger(figures));

  expect(amounts(tables[3] ?? [])).toMatchObject({ accepted: 5 });
  expect(JSON.stringify(tables)).not.toMatch(/shard|taken/i);
});
