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

// As they were when the module loaded: pages replace what `Date` has, `toJSON` above all.
const { apply } = Reflect;
const { getUTCFullYear, getUTCMonth, getUTCDate, getUTCHours, getUTCMinutes, getUTCSeconds } = Date.prototype;

/** The whole part of a number under 100. */
const twoDigits = (value: number): string => `${100 + value}`.slice(1, 3);

/**
 * Writes a moment as `yyyy-MM-ddTHH:mm:ss±hhmm`, in the offset given; a fraction of a second is cut.
 * Undefined where the format has no words for it: an invalid date, or a year beyond 0 to 9999.
 */
export function formatDate(at: number, offsetMinutes: number): string | undefined {
  // Zones before about 1900 have offsets with seconds; the format has only minutes.
  const offset = Math.round(offsetMinutes);
  const size = Math.abs(offset);
  const local = new Date(at + offset * 60_000);
  const part = (getter: () => number): number => apply(getter, local, []);
  const year = part(getUTCFullYear);
  // Not `year < 0`: it is NaN of an invalid date.
  if (!(year >= 0 && year < 10_000)) return undefined;
  return (
    `${twoDigits(year / 100)}${twoDigits(year % 100)}-${twoDigits(part(getUTCMonth) + 1)}-${twoDigits(part(getUTCDate))}` +
    `T${twoDigits(part(getUTCHours))}:${twoDigits(part(getUTCMinutes))}:${twoDigits(part(getUTCSeconds))}` +
    `${offset < 0 ? '-' : '+'}${twoDigits(size / 60)}${twoDigits(size % 60)}`
  );
}

/** The rule of a date, `Date` or text. */
export const DATE_RULE = 'must be a date as yyyy-MM-ddTHH:mm:ss±hhmm';

export const dateRule = textRule(DATE_RULE, { test: isDate });
