import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  inferDateFormat,
  inferType,
  nothingSeen,
  see,
} from '../../../../src/import/read/values/infer-type.ts';

function seen(values: readonly unknown[], { fromText = true, isDate = false } = {}) {
  const all = nothingSeen(fromText);
  for (const [index, value] of values.entries()) see(all, value, index + 1, isDate);
  return all;
}

const typeOf = (values: readonly unknown[], fromText = true) => inferType(seen(values, { fromText })).type;

describe('the type of a column of a CSV fits every value', () => {
  test.each([
    ['number', ['1', '-2.50', '0', '0.5', '123456789012345']],
    ['boolean', ['true', 'FALSE', 'True']],
    ['date', ['2026-11-23', '2026-11-23T15:45:00Z']],
    ['date', ['23/11/2026', '01/02/2026', '2026-11-23']],
    ['string', []],
    ['string', ['a']],
    ['string', ['1', '2', 'three']],
    ['string', ['1', 'true']],
    ['string', ['2026-11-23', 'soon']],
    ['string', ['13/11/2026', '11/13/2026']],
  ])('%s: %j', (type, values) => {
    expect(typeOf(values)).toBe(type);
  });
});

describe('text that looks like a number stays text where a number would change it', () => {
  test.each([
    '007',
    '+4915112345678',
    '1234567890123456',
    '12e4',
    '1,5',
    '1.',
    '.5',
    ' 1',
    '0x1f',
    'NaN',
    '-',
    '1_000',
  ])('%j', (value) => {
    expect(typeOf(['1', value])).toBe('string');
  });
});

test('one text among many numbers makes a column of text, wherever it stands', () => {
  fc.assert(
    fc.property(fc.array(fc.integer().map(String)), fc.array(fc.integer().map(String)), (before, after) => {
      expect(typeOf([...before, 'n/a', ...after])).toBe('string');
      expect(typeOf([...before, '1', ...after])).toBe('number');
    }),
  );
});

test('JSON has its own types, and text of it is a date or text', () => {
  expect(typeOf([1, 2.5], false)).toBe('number');
  expect(typeOf([true], false)).toBe('boolean');
  expect(typeOf([[1], []], false)).toBe('array');
  expect(typeOf([{}, { a: 1 }], false)).toBe('object');
  expect(typeOf(['1', '2'], false)).toBe('string');
  expect(typeOf(['true'], false)).toBe('string');
  expect(typeOf(['2026-11-23'], false)).toBe('date');
  expect(typeOf([1, 'a'], false)).toBe('string');
  expect(typeOf([1, true], false)).toBe('string');
});

describe('the order of day and month is decided by the whole column', () => {
  test.each([
    [['2026-11-23'], { format: 'iso' }],
    [['01/02/2026', '13/02/2026'], { format: 'dd/MM/yyyy' }],
    [['01/02/2026', '02/13/2026'], { format: 'MM/dd/yyyy' }],
    [['01.02.2026'], { format: 'dd/MM/yyyy' }],
    [['2026-11-23', '01/02/2026'], { ambiguous: 2 }],
    [['13/02/2026', 'never', '02/13/2026'], { dayFirst: 1, monthFirst: 3 }],
    [['never'], { format: 'iso' }],
  ])('%j: %j', (values, format) => {
    expect(inferDateFormat(seen(values, { isDate: true }))).toEqual(format);
  });
});

test('a number in a column of dates is noticed', () => {
  expect(seen(['1764000000'], { isDate: true }).hasEpochs).toBe(true);
  expect(seen([1764000000], { isDate: true }).hasEpochs).toBe(true);
  expect(seen(['2026-11-23'], { isDate: true }).hasEpochs).toBe(false);
});
