import { safeParse } from 'valibot';
import { expect, test } from 'vitest';
import { batchSchema } from '../../src/contract/batch.ts';
import { eventRecord } from '../fakes/records.ts';

const BATCH = {
  v: 1,
  sentAt: '2026-11-23T15:45:00.123Z',
  device: '0b9d3c5e-8f1a-4c2b-9d7e-6a5b4c3d2e1f',
  records: [eventRecord(1)],
};

test('a batch of the protocol is valid, with a token or without, and without the time of sending', () => {
  const { sentAt: _, ...left } = BATCH;
  expect(safeParse(batchSchema, BATCH).success).toBe(true);
  expect(safeParse(batchSchema, left).success).toBe(true);
  expect(safeParse(batchSchema, { ...BATCH, token: 'eyJ' }).success).toBe(true);
  expect(safeParse(batchSchema, { ...BATCH, records: Array(400).fill(eventRecord(1)) }).success).toBe(true);
});

test('a batch may ask for repair and give the offset of the sender’s clock', () => {
  for (const clockOffset of [0, -86_400_000, Number.MAX_SAFE_INTEGER])
    expect(safeParse(batchSchema, { ...BATCH, lenient: true, clockOffset })).toMatchObject({
      output: { lenient: true, clockOffset },
    });
});

test('fields of a later release are ignored', () => {
  const { success, output } = safeParse(batchSchema, { ...BATCH, encoding: 'br', hints: {} });

  expect(success).toBe(true);
  expect(output).toEqual(BATCH);
});

test.each([
  ['another version', { v: 2 }],
  ['no device', { device: undefined }],
  ['a device that is not a UUID', { device: 'mine' }],
  ['a time that is not a date', { sentAt: 'yesterday' }],
  ['a date that does not exist', { sentAt: '2026-13-45T15:45:00.123Z' }],
  ['no records', { records: [] }],
  ['401 records', { records: Array(401).fill(eventRecord(1)) }],
  ['records that are not a list', { records: {} }],
  ['a lenient flag as a string', { lenient: 'true' }],
  ['a bot flag as a string', { bot: 'true' }],
  ['a fractional offset', { clockOffset: 0.5 }],
  ['an offset that is too large', { clockOffset: 1e300 }],
  ['an offset as a string', { clockOffset: '7' }],
])('%s is refused', (_, fields) => {
  expect(safeParse(batchSchema, { ...BATCH, ...fields }).success).toBe(false);
});
