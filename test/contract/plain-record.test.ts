import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlainRecord } from '../../src/contract/plain-record.ts';
import { checkRecord } from '../../src/contract/record.ts';
import { changedBatch } from '../attacks/at-random.ts';
import { ADDED_TO_CART, eventRecord, JOHN, userRecord } from '../fakes/records.ts';

const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) });

describe('a record is plain exactly if the schema accepts it', () => {
  test('for batches that were changed at random', () => {
    const verdicts = { true: 0, false: 0 };

    fc.assert(
      fc.property(changedBatch, ({ body }) => {
        const { records } = JSON.parse(String(body));
        for (const record of Array.isArray(records) ? records : []) {
          const { ok } = checkRecord(record);
          expect(isPlainRecord(record), JSON.stringify(record)).toBe(ok);
          verdicts[`${ok}`] += 1;
        }
      }),
      { numRuns: 3_000 },
    );

    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(500);
  });

  test.each<readonly [string, unknown]>([
    ['nothing', null],
    ['a list', []],
    ['no kind', { ...eventRecord(1), kind: undefined }],
    ['the kind `constructor`', { ...eventRecord(1), kind: 'constructor' }],
    ['a field that all objects inherit', { ...eventRecord(1), constructor: 'x' }],
    ['a field of a user on an event', { ...eventRecord(1), email: 'j@example.com' }],
    ['no id', { kind: 'event', ...ADDED_TO_CART }],
    ['an id that is not text', { kind: 'event', id: [eventRecord(1).id], ...ADDED_TO_CART }],
    ['no event name', { ...JOHN, kind: 'event', id: eventRecord(1).id }],
    ['no visitor', { kind: 'event', id: eventRecord(1).id, eventName: 'a' }],
    ['an anonymous visitor', { kind: 'event', id: eventRecord(1).id, eventName: 'a', anonymousId: 'b' }],
    ['attributes in a list', { ...eventRecord(1), eventData: [] }],
    ['no attributes', { ...eventRecord(1), eventData: null }],
    ['16 levels of attributes', eventRecord(1, { eventData: { a: nested(15) } } as object)],
    ['17 levels of attributes', eventRecord(1, { eventData: { a: nested(16) } } as object)],
    ['an infinite number', eventRecord(1, { eventData: { a: JSON.parse('1e999') } })],
    ['null deep within', { ...eventRecord(1), eventData: { a: [{ b: null }] } }],
    ['a long name deep within', { ...eventRecord(1), eventData: { a: { ['x'.repeat(1_000)]: 1 } } }],
    ['half a character deep within', { ...eventRecord(1), eventData: { a: ['\ud800'] } }],
    ['16 KB of attributes of a user', userRecord(1, { attributes: { a: Array(9_000).fill(1) } })],
    ['16 KB of attributes of an event', eventRecord(1, { eventData: { a: Array(9_000).fill(1) } })],
    ['a birthday as a calendar day', userRecord(1, { birthDate: '1986-08-19' })],
  ])('for %s', (_, record) => {
    expect(isPlainRecord(record)).toBe(checkRecord(record).ok);
  });
});
