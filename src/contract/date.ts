import { textRule } from './rule.ts';

/** A moment together with the offset it is written in. */
export type OffsetDate = {
  /** Milliseconds since 1970, UTC. WebEngage's format has no fraction: always whole seconds. */
  readonly at: number;
  /** Minutes east of UTC. */
  readonly offsetMinutes: number;
};

// The only form WebEngage documents: offset without a colon, no milliseconds, no `Z`.
// https://docs.webengage.com/docs/rest-api-tracking-events
// java.time.ZoneOffset ends at 18:00; the widest offset in use is +14:00.
const FORM =
  /^\d{4}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d[+-]((0\d|1[0-7])[0-5]\d|1800)$/;

// `yyyy-MM-ddTHH:mm:ss`: the part before the offset.
const LOCAL_LENGTH = 19;

function daysOfMonth(year: number, month: number): number {
  if (month !== 2) return 30 + ((month + (month >> 3)) % 2);
  return year % (year % 100 ? 4 : 400) ? 28 : 29;
}

/** Whether text is `yyyy-MM-ddTHH:mm:ss±hhmm`; a 31st of June is not. */
export function isDate(text: string): boolean {
  return FORM.test(text) && +text.slice(8, 10) <= daysOfMonth(+text.slice(0, 4), +text.slice(5, 7));
}

/** Reads `yyyy-MM-ddTHH:mm:ss±hhmm`; undefined for anything else. */
export function parseDate(text: string): OffsetDate | undefined {
  if (!isDate(text)) return undefined;
  const [sign, hours, minutes] = [text[LOCAL_LENGTH], text.slice(-4, -2), text.slice(-2)];
  const offsetMinutes = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return { at: Date.parse(`${text.slice(0, LOCAL_LENGTH)}Z`) - offsetMinutes * 60_000, offsetMinutes };
}

const DAY_S = 86_400;
// From 1 March of the year -400 to 1 January 1970: so nothing below is negative, and a leap day is the last of its year.
const DAYS_TO_1970 = 865_565;
// 1 January of the year 0, and 31 December 9999.
const FIRST_DAY = 146_037;
const LAST_DAY = 3_798_461;

const twoDigits = (value: number): string => (value < 10 ? '0' : '') + Math.floor(value);

/**
 * Writes a moment as `yyyy-MM-ddTHH:mm:ss±hhmm`, in the offset given; a fraction of a second is cut.
 * Undefined where the format has no words for it: an invalid date, or a year beyond 0 to 9999.
 * By arithmetic alone: a page can replace the methods of `Date`.
 */
export function formatDate(at: number, offsetMinutes: number): string | undefined {
  // Zones before about 1900 have offsets with seconds; the format has only minutes.
  const offset = Math.round(offsetMinutes);
  const size = Math.abs(offset);
  const second = Math.floor(at / 1_000) + offset * 60 + DAYS_TO_1970 * DAY_S;
  const day = Math.floor(second / DAY_S);
  // Not `day < FIRST_DAY`: it might be NaN.
  if (!(day >= FIRST_DAY && day <= LAST_DAY)) return undefined;
  // https://howardhinnant.github.io/date_algorithms.html#civil_from_days, in quarters of a day: 146,097 make a century.
  const inCentury = ((4 * day + 3) % 146_097) | 3;
  const dayOfYear = (inCentury % 1_461) >> 2;
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  const year = Math.floor((4 * day + 3) / 146_097) * 100 + Math.floor(inCentury / 1_461) - 400 + +(month > 9);
  return (
    `${twoDigits(year / 100)}${twoDigits(year % 100)}-${twoDigits(month + (month > 9 ? -9 : 3))}-${twoDigits(dayOfMonth)}` +
    `T${twoDigits((second / 3_600) % 24)}:${twoDigits((second / 60) % 60)}:${twoDigits(second % 60)}` +
    `${offset < 0 ? '-' : '+'}${twoDigits(size / 60)}${twoDigits(size % 60)}`
  );
}

/** The rule of a date, `Date` or text. */
export const DATE_RULE = 'must be a date as yyyy-MM-ddTHH:mm:ss±hhmm';

export const dateRule = textRule(DATE_RULE, { test: isDate });
