import { describe, expect, test } from 'vitest';
import { isDate } from '../../../../src/contract/rules/date.ts';
import { convert, mustBe, type ValueType } from '../../../../src/import/read/values/convert.ts';
import type { DateFormat } from '../../../../src/import/read/values/date-forms.ts';
import { timeZone } from '../../../../src/import/read/values/time-zone.ts';

function converted(value: unknown, type: ValueType, format?: DateFormat, zoneName = 'UTC'): unknown {
  const zone = timeZone(zoneName);
  if (zone === undefined) throw new Error(`no zone ${zoneName}`);
  return convert(value, type, { format, zone });
}

// JSON.parse has changed its last digits.
const TOO_LONG = Number('12345678901234567890');

describe('a value becomes its column’s type', () => {
  test.each<[ValueType, unknown, unknown]>([
    ['string', ' a ', ' a '],
    ['string', 17, '17'],
    ['string', true, 'true'],
    ['string', TOO_LONG, undefined],
    ['string', ['a'], undefined],
    ['number', '17.50', 17.5],
    ['number', ' -3 ', -3],
    ['number', '007', 7],
    ['number', '1e3', 1000],
    ['number', '1,5', undefined],
    ['number', '1234567890123456', undefined],
    ['number', TOO_LONG, undefined],
    ['number', 0.1 + 0.2, 0.1 + 0.2],
    ['number', true, undefined],
    ['boolean', 'Yes', true],
    ['boolean', '0', false],
    ['boolean', 1, true],
    ['boolean', false, false],
    ['boolean', 'on', undefined],
    ['boolean', [1], undefined],
    ['array', '[1,"a"]', [1, 'a']],
    ['array', [1], [1]],
    ['array', '{"a":1}', undefined],
    ['array', '1,2', undefined],
    ['object', '{"a":1}', { a: 1 }],
    ['object', { a: 1 }, { a: 1 }],
    ['object', '{"a":1,"a":2}', undefined],
    ['object', '[1]', undefined],
    ['object', 'null', undefined],
  ])('%s: %j', (type, value, expected) => {
    expect(converted(value, type)).toEqual(expected);
  });
});

describe('a date is written in WebEngage’s form', () => {
  test.each<[unknown, DateFormat | undefined, string, string | undefined]>([
    ['2026-11-23T15:45:00+0100', 'iso', 'UTC', '2026-11-23T15:45:00+0100'],
    ['2026-11-23T15:45:00.999Z', 'iso', 'Europe/Berlin', '2026-11-23T15:45:00+0000'],
    ['2026-11-23 15:45', 'iso', 'Europe/Berlin', '2026-11-23T15:45:00+0100'],
    ['2026-11-23', 'iso', 'Asia/Kolkata', '2026-11-23T00:00:00+0530'],
    ['03/04/2026', 'dd/MM/yyyy', 'UTC', '2026-04-03T00:00:00+0000'],
    ['03/04/2026', 'MM/dd/yyyy', 'UTC', '2026-03-04T00:00:00+0000'],
    ['03/04/2026', 'iso', 'UTC', undefined],
    ['2026-04-03', 'MM/dd/yyyy', 'UTC', '2026-04-03T00:00:00+0000'],
    ['1764000000', 'iso', 'Europe/Berlin', '2025-11-24T16:00:00+0000'],
    [1764000000123, 'iso', 'UTC', '2025-11-24T16:00:00+0000'],
    ['1764000000.75', undefined, 'UTC', '2025-11-24T16:00:00+0000'],
    ['86400', 'epoch-seconds', 'UTC', '1970-01-02T00:00:00+0000'],
    ['86400', 'epoch-milliseconds', 'UTC', '1970-01-01T00:01:26+0000'],
    // A day without dashes is not a number of seconds.
    ['20261123', 'iso', 'UTC', undefined],
    [20261123154500, 'iso', 'UTC', undefined],
    ['soon', 'iso', 'UTC', undefined],
    [true, 'iso', 'UTC', undefined],
  ])('%j as %s in %s', (value, format, zone, expected) => {
    const date = converted(value, 'date', format, zone);

    expect(date).toBe(expected);
    if (expected !== undefined) expect(isDate(String(date))).toBe(true);
  });
});

test('a date that can’t be read is answered with forms that can, and days of Excel with the remedy', () => {
  for (const type of ['date', 'birthday'] as const) {
    expect(mustBe(type, '23/11/26')).toMatch(
      'must be a date that exists, such as 2026-11-23, 23/11/2026 15:45 or ',
    );
    for (const days of ['46349', 46349, ' 46349.75 ', '46349,5'])
      expect(mustBe(type, days)).toContain('format the column as a date');
    expect(mustBe(type, '20261123')).not.toContain('Excel');
  }
  expect(mustBe('boolean', '46349')).toBe('must be true or false, yes or no, 1 or 0');
});

test('a birthday stays a day, whatever the zone', () => {
  expect(converted('3/4/1990', 'birthday', 'dd/MM/yyyy', 'Asia/Kolkata')).toBe('1990-04-03');
  expect(converted('1990-04-03', 'birthday', 'iso', 'America/New_York')).toBe('1990-04-03');
  expect(converted('1990-04-03 10:00', 'birthday', 'iso', 'America/New_York')).toBe(
    '1990-04-03T10:00:00-0400',
  );
  expect(converted('3 April', 'birthday', 'iso')).toBeUndefined();
});
