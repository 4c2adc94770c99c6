import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDate, parseDate } from '../../src/contract/date.ts';

describe('WebEngage dates', () => {
  test('the documented example is read with its offset', () => {
    expect(parseDate('2018-09-15T18:29:00-0800')).toEqual({
      at: Date.parse('2018-09-16T02:29:00Z'),
      offsetMinutes: -480,
    });
  });

  test.each([
    '2018-09-15T18:29:00Z',
    '2018-09-15T18:29:00-08:00',
    '2018-09-15T18:29:00.000-0800',
    '2018-09-15 18:29:00-0800',
    '2018-09-15T18:29-0800',
    '2018-09-15T18:29:00',
    '2018-02-30T18:29:00-0800',
    '2018-13-01T18:29:00-0800',
    '2018-09-15T24:00:00-0800',
    '2018-09-15T18:60:00-0800',
    '2018-09-15T18:29:00-0860',
    '2018-09-15T18:29:00+1900',
    ' 2018-09-15T18:29:00-0800',
    '2018-09-15T18:29:00-0800\n',
    '1537064940000',
    '',
  ])('%j is not in the one documented form', (text) => {
    expect(parseDate(text)).toBeUndefined();
  });

  test('what is written is read back, to the second', () => {
    const seconds = fc.integer({ min: -62_000_000_000, max: 253_000_000_000 });
    const offsets = fc.integer({ min: -18 * 60, max: 18 * 60 });

    fc.assert(
      fc.property(seconds, offsets, (second, offsetMinutes) => {
        const text = formatDate(second * 1000 + 999, offsetMinutes);

        expect(parseDate(text ?? '')).toEqual({ at: second * 1000, offsetMinutes });
      }),
    );
  });

  test('an offset with seconds, as of a zone before 1900, is rounded to minutes', () => {
    expect(formatDate(0, -0.25)).toBe('1970-01-01T00:00:00+0000');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 8.64e15, -1e15])('%d has no form', (at) => {
    expect(formatDate(at, 0)).toBeUndefined();
  });
});
