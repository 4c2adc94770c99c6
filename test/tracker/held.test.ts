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
