/** How the day and the month stand in `03/04/2026`. */
export type DayOrder = 'dd/MM/yyyy' | 'MM/dd/yyyy';

/** What `--date-format` and a map may say. `iso` has the year first. */
export const DATE_FORMATS = [
  'iso',
  'dd/MM/yyyy',
  'MM/dd/yyyy',
  'epoch-seconds',
  'epoch-milliseconds',
] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

/** A date as text has it. */
export type WrittenDate = {
  /** The time that is written, as if it were UTC. Whole seconds, in milliseconds. */
  readonly local: number;
  /** Undefined where no zone is written. */
  readonly offsetMinutes: number | undefined;
  /** True for a day without a time. */
  readonly isDay: boolean;
};

const YEAR_FIRST = /^(\d{4})([-/.])(\d\d?)\2(\d\d?)(?![\d])/;
const YEAR_LAST = /^(\d\d?)([-/.])(\d\d?)\2(\d{4})(?!\d)/;
const TIME =
  /^(?:T|,? +)(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?(?: ?([AaPp])\.?[Mm]\.?)?(?: ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?$/;

/** Bits for the readings of a text: with the day first, and with the month first. */
export const DAY_FIRST = 1;
export const MONTH_FIRST = 2;

/** The ways in which a text can be read as a date. With the year first it is the same date in both. */
export function readingsOf(text: string): number {
  if (!startsAsDate(text)) return 0;
  if (!isYearLast(text)) return readYearFirst(text) === undefined ? 0 : DAY_FIRST | MONTH_FIRST;
  return (
    (readYearLast(text, 'dd/MM/yyyy') === undefined ? 0 : DAY_FIRST) |
    (readYearLast(text, 'MM/dd/yyyy') === undefined ? 0 : MONTH_FIRST)
  );
}

/** True for a date in which day and month have to be told apart: its first number has one or two digits. */
export function isYearLast(text: string): boolean {
  return !isDigit(text.charCodeAt(1)) || !isDigit(text.charCodeAt(2));
}

/** Reads a date with the year first, and one with the year last if the order of day and month is given. */
export function readDate(text: string, order: DayOrder | undefined): WrittenDate | undefined {
  if (!startsAsDate(text)) return undefined;
  if (!isYearLast(text)) return readYearFirst(text);
  return order === undefined ? undefined : readYearLast(text, order);
}

function readYearFirst(text: string): WrittenDate | undefined {
  const found = YEAR_FIRST.exec(text);
  if (found === null) return undefined;
  const [start, year, , month, day] = found;
  return withTime(dayOf(Number(year), Number(month), Number(day)), text.slice(start.length));
}

function readYearLast(text: string, order: DayOrder): WrittenDate | undefined {
  const found = YEAR_LAST.exec(text);
  if (found === null) return undefined;
  const [start, first, separator, second, year] = found;
  // Dots stand in dates of countries that write the day first.
  if (separator === '.' && order === 'MM/dd/yyyy') return undefined;
  const [day, month] = order === 'dd/MM/yyyy' ? [first, second] : [second, first];
  return withTime(dayOf(Number(year), Number(month), Number(day)), text.slice(start.length));
}

// The shortest is 1/1/2026, and the longest has a fraction and a zone.
const [MIN_LENGTH, MAX_LENGTH] = [8, 40];
const ZERO = 0x30;
const NINE = 0x39;

/** A quick look, since most cells are not dates. */
function startsAsDate(text: string): boolean {
  return isDigit(text.charCodeAt(0)) && text.length >= MIN_LENGTH && text.length <= MAX_LENGTH;
}

const isDigit = (code: number) => code >= ZERO && code <= NINE;

/** Undefined for a day that no calendar has. */
function dayOf(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31 || year < FIRST_YEAR) return undefined;
  const at = Date.UTC(year, month - 1, day);
  // The usual case. Any later day may be the first of the next month.
  return day <= 28 || new Date(at).getUTCDate() === day ? at : undefined;
}

// `Date.UTC` takes the year 20 for 1920.
const FIRST_YEAR = 100;

function withTime(day: number | undefined, rest: string): WrittenDate | undefined {
  if (day === undefined) return undefined;
  if (rest === '') return { local: day, offsetMinutes: undefined, isDay: true };
  const found = TIME.exec(rest);
  if (found === null) return undefined;
  const [, hours, minutes, seconds = '0', half, zone] = found;
  const hour = hourOf(Number(hours), half);
  if (hour === undefined || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const time = (hour * 60 + Number(minutes)) * 60 + Number(seconds);
  return { local: day + time * 1000, offsetMinutes: offsetOf(zone), isDay: false };
}

function hourOf(hour: number, half: string | undefined): number | undefined {
  if (half === undefined) return hour < 24 ? hour : undefined;
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  if (!/^[+-]/.test(zone)) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', ''));
  return zone.startsWith('-') ? -minutes : minutes;
}
