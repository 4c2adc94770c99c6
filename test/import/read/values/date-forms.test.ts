import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DAY_FIRST,
  MONTH_FIRST,
  readDate,
  readingsOf,
} from '../../../../src/import/read/values/date-forms.ts';

const BOTH = DAY_FIRST | MONTH_FIRST;
const at = (text: string) => Date.parse(`${text}Z`);

describe('dates with the year first', () => {
  test.each([
    ['2026-11-23', '2026-11-23T00:00:00', undefined],
    ['2026/1/3', '2026-01-03T00:00:00', undefined],
    ['2026-11-23T15:45', '2026-11-23T15:45:00', undefined],
    ['2026-11-23 15:45:07', '2026-11-23T15:45:07', undefined],
    ['2026-11-23T15:45:07.123456Z', '2026-11-23T15:45:07', 0],
    ['2026-11-23T15:45:07+0100', '2026-11-23T15:45:07', 60],
    ['2026-11-23T15:45:07-03:30', '2026-11-23T15:45:07', -210],
    ['2026-11-23 15:45:07+05', '2026-11-23T15:45:07', 300],
    ['2026-11-23 15:45:07 UTC', '2026-11-23T15:45:07', 0],
    ['0120-02-29', '0120-02-29T00:00:00', undefined],
  ])('%s', (text, local, offsetMinutes) => {
    const isDay = text.length <= 10;

    expect(readDate(text, undefined)).toEqual({ local: at(local), offsetMinutes, isDay });
    expect(readingsOf(text)).toBe(BOTH);
  });
});

describe('dates with the year last, by the order of day and month', () => {
  test.each([
    ['3/4/2026', '2026-04-03', '2026-03-04', BOTH],
    ['13/04/2026', '2026-04-13', undefined, DAY_FIRST],
    ['04-13-2026', undefined, '2026-04-13', MONTH_FIRST],
    ['29/02/2024', '2024-02-29', undefined, DAY_FIRST],
    // Nobody writes the month first with dots.
    ['03.04.2026', '2026-04-03', undefined, DAY_FIRST],
    ['31/06/2026', undefined, undefined, 0],
    ['13/13/2026', undefined, undefined, 0],
  ])('%s', (text, dayFirst, monthFirst, readings) => {
    const day = (date: string | undefined) =>
      date && { local: at(`${date}T00:00:00`), offsetMinutes: undefined, isDay: true };

    expect(readDate(text, 'dd/MM/yyyy')).toEqual(day(dayFirst));
    expect(readDate(text, 'MM/dd/yyyy')).toEqual(day(monthFirst));
    expect(readDate(text, undefined)).toBeUndefined();
    expect(readingsOf(text)).toBe(readings);
  });

  test.each([
    ['3/4/2026 2:05 PM', '14:05:00'],
    ['3/4/2026, 12:05:09 am', '00:05:09'],
    ['3/4/2026 12:05 p.m.', '12:05:00'],
    ['03/04/2026 23:59', '23:59:00'],
  ])('and with a time: %s', (text, time) => {
    expect(readDate(text, 'MM/dd/yyyy')?.local).toBe(at(`2026-03-04T${time}`));
  });
});

describe('other texts are not dates', () => {
  test.each([
    '',
    '2026',
    '20261123',
    '2026-13-01',
    '2026-02-30',
    '2026-11-23T24:00',
    '2026-11-23T15:60',
    '2026-11-23T15:45:60',
    '2026-11-23 13:00 PM',
    '2026-11-23 0:10 AM',
    '2026-11-23x',
    '2026-11/23',
    '1.2.3.2026',
    '03/04/26',
    '+4915112345678',
    '2026-11-23T15:45:07 CEST',
    '0000-01-01',
    '0099-01-01',
    ' 2026-11-23',
    '12-34567',
  ])('%j', (text) => {
    expect(readingsOf(text)).toBe(0);
    expect(readDate(text, 'dd/MM/yyyy')).toBeUndefined();
  });
});

test('any day comes back from its text, whatever the form', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0100-01-02'), max: new Date('9999-12-31'), noInvalidDate: true }),
      (date) => {
        const [year = '', month = '', day = ''] = date.toISOString().slice(0, 10).split('-');
        const local = at(`${year}-${month}-${day}T00:00:00`);

        expect(readDate(`${year}-${month}-${day}`, undefined)?.local).toBe(local);
        expect(readDate(`${day}/${month}/${year}`, 'dd/MM/yyyy')?.local).toBe(local);
        expect(readDate(`${Number(month)}/${Number(day)}/${year}`, 'MM/dd/yyyy')?.local).toBe(local);
      },
    ),
  );
});
