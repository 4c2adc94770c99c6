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
const { fromCharCode } = String;
const { floor } = Math;

const DAY_SECONDS = 86_400;

// Of March 1 of the year 0 before 1970.
const FIRST_SECONDS = 719_468 * DAY_SECONDS;

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
  const local = floor(at / 1_000) + offset * 60 + FIRST_SECONDS;
  const days = floor(local / DAY_SECONDS);
  const seconds = local - days * DAY_SECONDS;
  // By arithmetic: a page that writes many dates pays several times as much for methods of `Date`. Years begin in
  // March here, so that leap days are last. https://doi.org/10.1002/spe.3172
  const century = floor((4 * days + 3) / 146_097);
  const julian = days + century - floor(century / 4);
  const year = floor((4 * julian + 3) / 1_461);
  const day = julian - floor((year * 1_461) / 4);
  const months = floor((5 * day + 2) / 153);
  const y = months > 9 ? year + 1 : year;
  const m = ((months + 2) % 12) + 1;
  const d = day - floor((153 * months + 2) / 5) + 1;
  // Not `year < 0`: the year of an invalid date is NaN.
  if (!(y >= 0 && y < 10_000)) return undefined;
  // biome-ignore format: as it is read
  return fromCharCode(
    digit(y / 1_000), digit(y / 100), digit(y / 10), digit(y), 45,
    digit(m / 10), digit(m), 45, digit(d / 10), digit(d), 84,
    digit(seconds / 36_000), digit(seconds / 3_600), 58,
    digit((seconds % 3_600) / 600), digit(seconds / 60), 58,
    digit((seconds % 60) / 10), digit(seconds),
    offset < 0 ? 45 : 43, digit(size / 600), digit(size / 60), digit((size % 60) / 10), digit(size),
  );
}

/** The rule for a date, as a `Date` or as text. */
export const DATE_RULE = 'must be a date as yyyy-MM-ddTHH:mm:ss±hhmm';

export const dateRule = textRule(DATE_RULE, { test: isDate });
