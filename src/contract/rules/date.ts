import { textRule } from './rule.ts';

/** A moment, and the offset in which it is written. */
export type OffsetDate = {
  /** Milliseconds since 1970 in UTC. Always whole seconds, since WebEngage's format has no fraction. */
  readonly at: number;
  /** Minutes east of UTC. */
  readonly offsetMinutes: number;
};

// The only format WebEngage documents: an offset without a colon, no milliseconds, no `Z`.
// https://docs.webengage.com/docs/rest-api-tracking-events
// Offsets go up to 18:00, as in java.time.ZoneOffset. The widest one in use is +14:00.
const FORM =
  /^\d{4}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d[+-]((0\d|1[0-7])[0-5]\d|1800)$/;

// The length of `yyyy-MM-ddTHH:mm:ss`, the part before the offset.
const LOCAL_LENGTH = 19;

function daysOfMonth(year: number, month: number): number {
  if (month !== 2) return 30 + ((month + (month >> 3)) % 2);
  return year % (year % 100 ? 4 : 400) ? 28 : 29;
}

/** True for text in the form `yyyy-MM-ddTHH:mm:ss±hhmm` with a real day: June 31 is not one. */
export function isDate(text: string): boolean {
  return FORM.test(text) && +text.slice(8, 10) <= daysOfMonth(+text.slice(0, 4), +text.slice(5, 7));
}

/** Parses `yyyy-MM-ddTHH:mm:ss±hhmm`. Undefined for anything else. */
export function parseDate(text: string): OffsetDate | undefined {
  if (!isDate(text)) return undefined;
  const [sign, hours, minutes] = [text[LOCAL_LENGTH], text.slice(-4, -2), text.slice(-2)];
  const offsetMinutes = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return { at: Date.parse(`${text.slice(0, LOCAL_LENGTH)}Z`) - offsetMinutes * 60_000, offsetMinutes };
}

// Captured when the module loads: pages replace methods of built-ins.
const NativeDate = Date;
const { toISOString } = Date.prototype;
const { apply } = Reflect;
const { fromCharCode } = String;
const { floor } = Math;

const DAY_MS = 86_400_000;

// The first millisecond of the years 0 and 10000. The format has four digits for a year.
const MIN_LOCAL = -62_167_219_200_000;
const END_LOCAL = 253_402_300_800_000;

// The day that was written last, and its text. Most dates that follow each other are of one day, and a page that
// writes many pays several times as much for methods of `Date` as for arithmetic.
let lastDay: number | undefined;
let date = '';

/** The character code of an integer part's last digit. */
const digit = (value: number): number => 48 + (floor(value) % 10);

/**
 * Writes a moment as `yyyy-MM-ddTHH:mm:ss±hhmm` in the given offset. A fraction of a second is cut.
 * Undefined for an invalid date, or for a year outside 0 to 9999, which the format can't express.
 */
export function formatDate(at: number, offsetMinutes: number): string | undefined {
  // Zones before about 1900 have offsets with seconds. The format has only minutes.
  const offset = Math.round(offsetMinutes);
  const size = Math.abs(offset);
  const local = at + offset * 60_000;
  // Not `local < MIN_LOCAL`: an invalid date is NaN.
  if (!(local >= MIN_LOCAL && local < END_LOCAL)) return undefined;
  const day = floor(local / DAY_MS);
  if (day !== lastDay) {
    lastDay = day;
    date = apply(toISOString, new NativeDate(day * DAY_MS), []).slice(0, 11);
  }
  const seconds = (local - day * DAY_MS) / 1_000;
  // The codes of `:`, `-` and `+` are 58, 45 and 43.
  const time = fromCharCode(
    digit(seconds / 36_000),
    digit(seconds / 3_600),
    58,
    digit((seconds % 3_600) / 600),
    digit(seconds / 60),
    58,
    digit((seconds % 60) / 10),
    digit(seconds),
    offset < 0 ? 45 : 43,
    digit(size / 600),
    digit(size / 60),
    digit((size % 60) / 10),
    digit(size),
  );
  return date + time;
}

/** The rule for a date, as a `Date` or as text. */
export const DATE_RULE = 'must be a date as yyyy-MM-ddTHH:mm:ss±hhmm';

export const dateRule = textRule(DATE_RULE, { test: isDate });
