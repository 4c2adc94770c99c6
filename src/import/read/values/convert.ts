import { type AttributeType, isPlainObject } from '../../../contract/rules/attributes.ts';
import { formatDate } from '../../../contract/rules/date.ts';
import { faultInJson } from '../../../contract/strict-json.ts';
import { type DateFormat, type DayOrder, readDate } from './date-forms.ts';
import type { TimeZone } from './time-zone.ts';

/** A birthday is a date, but its day alone is more exact than a moment. */
export type ValueType = AttributeType | 'birthday';

/** How the dates of a column are read. */
export type DateReading = {
  /** Undefined for a column in which no format was found. */
  readonly format: DateFormat | undefined;
  /** For dates that have none of their own. */
  readonly zone: TimeZone;
};

/** Turns a value that is not empty into a type. Undefined if it can't be. */
export function convert(value: unknown, type: ValueType, dates: DateReading): unknown {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : toText(value);
    case 'number':
      return toNumber(value);
    case 'boolean':
      return toBoolean(value);
    case 'date':
      return toDate(value, dates);
    case 'birthday':
      return toBirthday(value, dates);
    case 'array':
      return toNested(value, Array.isArray);
    case 'object':
      return toNested(value, isPlainObject);
  }
}

/** What a value that can't be converted must be. It reads on from the field's name. */
export function mustBe(type: ValueType, value: unknown): string {
  const isDays = (type === 'date' || type === 'birthday') && EXCEL_DAYS.test(String(value));
  return isDays
    ? 'must be a date, not days as Excel counts them: format the column as a date'
    : MUST_BE[type];
}

// A date in a cell that is formatted as a number: the days since 1900, here from 1927 to 2173.
const EXCEL_DAYS = /^\s*\d{5}([.,]\d+)?\s*$/;

const A_DATE = 'must be a date that exists, such as 2026-11-23, 23/11/2026 15:45 or 2026-11-23T15:45:00Z';

const MUST_BE: { readonly [type in ValueType]: string } = {
  string: 'must be text, or a number of at most 15 digits',
  number: 'must be a number such as 1234.5, of at most 15 digits',
  boolean: 'must be true or false, yes or no, 1 or 0',
  date: A_DATE,
  birthday: A_DATE,
  array: 'must be a JSON array',
  object: 'must be a JSON object',
};

function toText(value: unknown): string | undefined {
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' && isExact(value) ? String(value) : undefined;
}

/** False for a number of which JSON.parse may have changed the last digits. */
const isExact = (value: number) => !Number.isInteger(value) || Number.isSafeInteger(value);

const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;
const MAX_DIGITS = 15;

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return isExact(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (!NUMBER.test(text)) return undefined;
  const digits = text.replace(/e.*$|\D/gi, '').replace(/^0+/, '');
  return digits.length <= MAX_DIGITS ? Number(text) : undefined;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['0', false],
]);

function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return typeof value === 'object' ? undefined : BOOLEANS.get(String(value).trim().toLowerCase());
}

function toDate(value: unknown, { format, zone }: DateReading): string | undefined {
  const epoch = toEpoch(value, format);
  if (epoch !== undefined) return formatDate(epoch, 0);
  if (typeof value !== 'string') return undefined;
  const written = readDate(value.trim(), orderOf(format));
  if (written === undefined) return undefined;
  const { local, offsetMinutes } = written;
  const moment =
    offsetMinutes === undefined ? zone(local) : { at: local - offsetMinutes * 60_000, offsetMinutes };
  return formatDate(moment.at, moment.offsetMinutes);
}

/** A day stays a day. The contract says what becomes of it. */
function toBirthday(value: unknown, dates: DateReading): string | undefined {
  const written = typeof value === 'string' ? readDate(value.trim(), orderOf(dates.format)) : undefined;
  return written?.isDay ? formatDate(written.local, 0)?.slice(0, 'yyyy-MM-dd'.length) : toDate(value, dates);
}

function orderOf(format: DateFormat | undefined): DayOrder | undefined {
  return format === 'dd/MM/yyyy' || format === 'MM/dd/yyyy' ? format : undefined;
}

const EPOCH = /^-?\d{1,15}(\.\d+)?$/;

// Without a format, the size tells seconds from milliseconds. 1973 to 2286 fit, and 20261123 is neither.
const SECONDS = { from: 1e8, to: 1e10 };
const MILLISECONDS = { from: 1e11, to: 1e13 };

const isWithin = (value: number, { from, to }: { readonly from: number; readonly to: number }) =>
  value >= from && value < to;

/** Milliseconds since 1970. Undefined for a value that is not an epoch. */
function toEpoch(value: unknown, format: DateFormat | undefined): number | undefined {
  const number = typeof value === 'string' && EPOCH.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number') return undefined;
  if (format === 'epoch-seconds') return number * 1000;
  if (format === 'epoch-milliseconds') return number;
  if (isWithin(number, SECONDS)) return number * 1000;
  return isWithin(number, MILLISECONDS) ? number : undefined;
}

function toNested(value: unknown, isNested: (value: unknown) => boolean): unknown {
  if (typeof value !== 'string') return isNested(value) ? value : undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return isNested(parsed) && faultInJson(value) === undefined ? parsed : undefined;
  } catch {
    return undefined;
  }
}
