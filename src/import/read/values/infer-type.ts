import { DAY_FIRST, type DateFormat, isYearLast, MONTH_FIRST, readingsOf } from './date-forms.ts';

/** What a pass over the file has seen of one column. */
export type Seen = {
  /** Values that are not empty. */
  values: number;
  /** Types that every text so far has, as bits. */
  possible: number;
  /** Types of JSON that have occurred, as bits. */
  json: number;
  /** Rows of dates with the year last, by the order in which they can be read. 0 if there is no such row. */
  dayFirstRow: number;
  monthFirstRow: number;
  eitherRow: number;
  /** Whether a column of dates has numbers: seconds or milliseconds since 1970. */
  hasEpochs: boolean;
};

const NUMBER = 4;
const BOOLEAN = 8;
const DATES = DAY_FIRST | MONTH_FIRST;

// Types of JSON.
const TEXT = 1;
const JSON_NUMBER = 2;
const JSON_BOOLEAN = 4;
const ARRAY = 8;
const OBJECT = 16;

/** The most digits of which a number keeps each one. */
const MAX_DIGITS = 15;

// No exponent: 12e4 may be the name of a product. No leading zero: 007 is not 7.
const PLAIN_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;
const TRUE_OR_FALSE = /^(true|false)$/i;

/** @param fromText whether texts may be numbers and booleans too: in a CSV, not in JSON */
export function nothingSeen(fromText: boolean): Seen {
  const possible = DATES | (fromText ? NUMBER | BOOLEAN : 0);
  return { values: 0, possible, json: 0, dayFirstRow: 0, monthFirstRow: 0, eitherRow: 0, hasEpochs: false };
}

/**
 * Adds one value that is not empty.
 *
 * @param isDate whether the column's dates must be read even if another value is not a date
 */
export function see(seen: Seen, value: unknown, row: number, isDate: boolean): void {
  seen.values += 1;
  if (typeof value !== 'string') {
    seen.json |= jsonTypeOf(value);
    seen.hasEpochs ||= typeof value === 'number';
    return;
  }
  seen.json |= TEXT;
  // The usual case: a column of text.
  if (seen.possible === 0 && !isDate) return;
  if ((seen.possible & NUMBER) !== 0 && !isPlainNumber(value)) seen.possible &= ~NUMBER;
  if ((seen.possible & BOOLEAN) !== 0 && !TRUE_OR_FALSE.test(value)) seen.possible &= ~BOOLEAN;
  if (isDate || (seen.possible & DATES) !== 0) seeDate(seen, value, row);
}

const EPOCH = /^-?\d{1,15}(\.\d+)?$/;

function seeDate(seen: Seen, text: string, row: number): void {
  const readings = readingsOf(text);
  seen.possible &= ~DATES | readings;
  if (readings === 0) seen.hasEpochs ||= EPOCH.test(text);
  if (readings === 0 || !isYearLast(text)) return;
  if (readings === DATES) seen.eitherRow ||= row;
  else if (readings === DAY_FIRST) seen.dayFirstRow ||= row;
  else seen.monthFirstRow ||= row;
}

function jsonTypeOf(value: unknown): number {
  if (typeof value === 'number') return JSON_NUMBER;
  if (typeof value === 'boolean') return JSON_BOOLEAN;
  return Array.isArray(value) ? ARRAY : OBJECT;
}

function isPlainNumber(text: string): boolean {
  return PLAIN_NUMBER.test(text) && text.replace(/^-?0*\.?|\.|-/g, '').length <= MAX_DIGITS;
}

export type InferredType = {
  readonly type: 'string' | 'number' | 'boolean' | 'date' | 'array' | 'object';
  /** In words, as `every value is a number`. */
  readonly because: string;
  /** True for values that are text in the file. */
  readonly fromText: boolean;
};

/** The type that fits every value. A column without values is a string. */
export function inferType({ values, possible, json }: Seen): InferredType {
  if (values === 0) return { type: 'string', because: 'empty', fromText: false };
  switch (json) {
    case TEXT:
      return typeOfTexts(possible);
    case JSON_NUMBER:
      return every('number');
    case JSON_BOOLEAN:
      return every('boolean');
    case ARRAY:
      return every('array');
    case OBJECT:
      return every('object');
    default:
      return { type: 'string', because: 'values of several types', fromText: false };
  }
}

function typeOfTexts(possible: number): InferredType {
  if ((possible & NUMBER) !== 0) return every('number', true);
  if ((possible & BOOLEAN) !== 0) return every('boolean', true);
  if ((possible & DATES) !== 0) return every('date', true);
  return { type: 'string', because: 'text', fromText: true };
}

const every = (type: InferredType['type'], fromText = false): InferredType => ({
  type,
  because: `every value is ${/^[ao]/.test(type) ? 'an' : 'a'} ${type}`,
  fromText,
});

/** True if all dates of a column can be read in this format. */
export function fitsFormat(
  { possible, dayFirstRow, monthFirstRow, eitherRow }: Seen,
  format: DateFormat,
): boolean {
  if (format === 'dd/MM/yyyy') return (possible & DAY_FIRST) !== 0;
  if (format === 'MM/dd/yyyy') return (possible & MONTH_FIRST) !== 0;
  return dayFirstRow + monthFirstRow + eitherRow === 0;
}

/** How a column's dates are to be read: a format, or the rows that leave it open. */
export type InferredFormat =
  | { readonly format: DateFormat }
  | { readonly ambiguous: number }
  | { readonly dayFirst: number; readonly monthFirst: number };

export function inferDateFormat({ dayFirstRow, monthFirstRow, eitherRow }: Seen): InferredFormat {
  if (dayFirstRow > 0 && monthFirstRow > 0) return { dayFirst: dayFirstRow, monthFirst: monthFirstRow };
  if (dayFirstRow > 0) return { format: 'dd/MM/yyyy' };
  if (monthFirstRow > 0) return { format: 'MM/dd/yyyy' };
  return eitherRow > 0 ? { ambiguous: eitherRow } : { format: 'iso' };
}
