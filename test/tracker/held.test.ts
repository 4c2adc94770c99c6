import { expect, test } from 'vitest';
import { heldRecords } from '../../src/tracker/held.ts';
import { eventRecord } from '../fakes/records.ts';

const records = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    key: from + index,
    at: 1,
    record: eventRecord(from + index),
  }));

test('what another tab owns is not passed over, though that tab has settled some of ours since', () => {
  const held = heldRecords(true, () => true);
  held.add(records(1, 30), 30);
  // 31 is the other tab's.
  held.add(records(32, 40), 40);

  held.found(records(6, 30), false);

  expect(held.head().map(({ at: _, record }) => record.id)).toEqual(
    records(6, 30).map(({ record }) => record.id),
  );
});

test('records that stand in the buffer twice, as two pages have moved them there, hide nobody that comes after them', () => {
  const held = heldRecords(false, () => true);
  const twice = [...records(1, 12), ...records(1, 13).map((entry) => ({ ...entry, key: entry.key + 12 }))];
  held.add([{ key: 40, at: 1, record: eventRecord(99) }], 40);

  held.found(twice, false);

  expect(held.head().map(({ record }) => record.id)).toEqual(records(1, 13).map(({ record }) => record.id));
});
