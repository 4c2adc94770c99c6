import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBatch } from '../../../src/edge/http/validate-batch.ts';
import { batchText } from '../../../src/edge/rpc/batch-text.ts';

/** The records that the relay would read. */
function written(records: readonly unknown[]): readonly unknown[] {
  const result = batchText(records);
  return result.ok ? JSON.parse(result.text).records : [result.message];
}

test('a value of JSON stays as it is', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), (records) => {
      expect(written(records)).toEqual(JSON.parse(JSON.stringify(records)));
    }),
  );
});

test('a batch of any values that a Worker can send can be parsed and has as many records', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
    withObjectString: true,
    withBoxedValues: true,
  });
  fc.assert(
    fc.property(fc.array(anything, { minLength: 1, maxLength: 5 }), (records) => {
      const result = batchText(records);
      const parsed = result.ok ? parseBatch(result.text, 'server') : undefined;

      expect(parsed?.ok && parsed.batch.records.length).toBe(records.length);
    }),
  );
});

test('a value that JSON would leave out or rewrite becomes null, which no rule accepts', () => {
  for (const value of [1n, Number.NaN, new Map([[1, 2]]), new Set([1]), new Uint8Array(2), /x/, () => 1])
    expect(written([{ eventData: { value, beside: 1 } }])).toEqual([
      { eventData: { value: null, beside: 1 } },
    ]);
  expect(written([{ value: undefined, beside: 1 }, undefined])).toEqual([{ beside: 1 }, null]);
});

test('a hole in the list becomes null too, and costs no other record', () => {
  const records: object[] = [];
  records[1] = { beside: 1 };

  expect(written(records)).toEqual([null, { beside: 1 }]);
});

test('a Date is written in UTC and whole seconds, at any depth', () => {
  const at = new Date('2026-11-23T15:45:00.999Z');

  expect(written([{ eventTime: at, eventData: { list: [at, { at }] } }, at])).toEqual([
    {
      eventTime: '2026-11-23T15:45:00+0000',
      eventData: { list: ['2026-11-23T15:45:00+0000', { at: '2026-11-23T15:45:00+0000' }] },
    },
    '2026-11-23T15:45:00+0000',
  ]);
  expect(written([{ eventTime: new Date(Number.NaN) }])).toEqual([{ eventTime: null }]);
});
