import { expect, test } from 'vitest';
import { heldRecords } from '../../../src/tracker/unload/unsettled.ts';
import { eventRecord } from '../../fakes/records.ts';

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

  held.found({ records: records(6, 30), whole: false, lastKey: 30 });

  expect(held.head().map(({ at: _, record }) => record.id)).toEqual(
    records(6, 30).map(({ record }) => record.id),
  );
});

test('records that stand in the buffer twice, as two pages have moved them there, hide nobody that comes after them', () => {
  const held = heldRecords(false, () => true);
  const twice = [...records(1, 12), ...records(1, 13).map((entry) => ({ ...entry, key: entry.key + 12 }))];
  held.add([{ key: 40, at: 1, record: eventRecord(99) }], 40);

  held.found({ records: twice, whole: false, lastKey: 25 });

  expect(held.head().map(({ record }) => record.id)).toEqual(records(1, 13).map(({ record }) => record.id));
});

test('what stays in the buffer, passed over, is held on to in its place, and hides nothing that comes after it', () => {
  const held = heldRecords(true, () => false);
  held.add(records(1, 3), 3);
  held.add([{ key: 6, at: 1, record: eventRecord(6) }], 5);
  const stays = ({ record }: { readonly record: { readonly id: string } }) =>
    records(1, 2).some((entry) => entry.record.id === record.id);

  // 4 and 5 are another tab's, and 3 it has settled.
  held.found({ records: records(4, 6), whole: false, lastKey: 6 }, stays);

  const idsOf = (...seqs: number[]) => seqs.map((seq) => eventRecord(seq).id);
  expect(held.head().map(({ record }) => record.id)).toEqual(idsOf(1, 2, 4, 5, 6));
});
