import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDate, isDate, parseDate } from '../../../src/contract/rules/date.ts';
import { onSpoiltPage, SPOILT_PAGES } from '../../fakes/browser/spoilt-page.ts';

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

  test('a written date reads back, to the second', () => {
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

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 8.64e15, -1e15])('%d can’t be written', (at) => {
    expect(formatDate(at, 0)).toBeUndefined();
  });
});

describe('compared with `Date`', () => {
  const FORM = /^\d.{18}[+-]((0\d|1[0-7])[0-5]\d|1800)$/;

  /** As it can be said of text with the platform's own reading and writing: both ways, to the letter. */
  function isDateByPlatform(text: string): boolean {
    const local = text.slice(0, 19);
    return FORM.test(text) && new Date(`${local}Z`).toJSON()?.startsWith(local) === true;
  }

  const digits = (most: number, length: number) =>
    fc.integer({ min: 0, max: most }).map((value) => `${value}`.padStart(length, '0'));
  const text = fc
    .tuple(
      digits(9_999, 4),
      digits(13, 2),
      digits(32, 2),
      digits(25, 2),
      digits(61, 2),
      digits(61, 2),
      digits(19, 2),
    )
    .map(([y, mo, d, h, mi, s, offset]) => `${y}-${mo}-${d}T${h}:${mi}:${s}+${offset}30`);

  test('text is a date or not', () => {
    fc.assert(
      fc.property(text, (text) => {
        expect(isDate(text)).toBe(isDateByPlatform(text));
      }),
      { numRuns: 3_000 },
    );
  });

  test('each day of the first and last years, and of all years about February', () => {
    const faults: string[] = [];
    for (let year = 0; year < 10_000; year++)
      for (const day of ['02-28', '02-29', '02-30', '03-01', '12-31']) {
        const date = `${`${year}`.padStart(4, '0')}-${day}T12:00:00+0000`;
        if (isDate(date) !== isDateByPlatform(date)) faults.push(date);
      }

    expect(faults).toEqual([]);
  });

  test('a time is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), (second) => {
        expect(formatDate(second * 1_000, 0)).toBe(`${new Date(second * 1_000).toJSON().slice(0, 19)}+0000`);
      }),
      { numRuns: 3_000 },
    );
  });

  test('times are written in any order, of one day and of its neighbours', () => {
    const second = fc.integer({ min: -2 * 86_400, max: 2 * 86_400 });
    const offset = fc.integer({ min: -1_080, max: 1_080 });
    fc.assert(
      fc.property(fc.array(fc.tuple(second, offset), { minLength: 2 }), (moments) => {
        const written = moments.map(([second, offset]) => formatDate(second * 1_000, offset)?.slice(0, 19));

        expect(written).toEqual(
          moments.map(([second, offset]) => new Date((second + offset * 60) * 1_000).toJSON().slice(0, 19)),
        );
      }),
    );
  });

  test('the last millisecond of a second and of a day is of that second', () => {
    const moments = [-86_400_001, -1, 999, 86_399_999];

    expect(moments.map((at) => formatDate(at, 0))).toEqual([
      '1969-12-30T23:59:59+0000',
      '1969-12-31T23:59:59+0000',
      '1970-01-01T00:00:00+0000',
      '1970-01-01T23:59:59+0000',
    ]);
  });

  test.each(Object.keys(SPOILT_PAGES))('on a page with %s', (name) => {
    const at = Date.parse('2018-09-16T02:29:00Z');

    const written = onSpoiltPage(name, () => formatDate(at, -480));
    const isRead = onSpoiltPage(name, () => isDate('2018-09-15T18:29:00-0800'));

    expect([written, isRead]).toEqual(['2018-09-15T18:29:00-0800', true]);
  });
});
