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
const FORM = /^\d.{18}[+-]((0\d|1[0-7])[0-5]\d|1800)$/;

// `yyyy-MM-ddTHH:mm:ss`: all before the offset, as in `toJSON`.
const LOCAL_LENGTH = 19;

/** Whether text is `yyyy-MM-ddTHH:mm:ss±hhmm`; a 31st of June is not. */
export function isDate(text: string): boolean {
  const local = text.slice(0, LOCAL_LENGTH);
  // Read and written again: `Date` takes other forms too, and rolls 2026-02-30 over into March. No date has null for JSON.
  return FORM.test(text) && new Date(`${local}Z`).toJSON()?.startsWith(local) === true;
}

/** Reads `yyyy-MM-ddTHH:mm:ss±hhmm`; undefined for anything else. */
export function parseDate(text: string): OffsetDate | undefined {
  if (!isDate(text)) return undefined;
  const [sign, hours, minutes] = [text[LOCAL_LENGTH], text.slice(-4, -2), text.slice(-2)];
  const offsetMinutes = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return { at: Date.parse(`${text.slice(0, LOCAL_LENGTH)}Z`) - offsetMinutes * 60_000, offsetMinutes };
}

/**
 * Writes a moment as `yyyy-MM-ddTHH:mm:ss±hhmm`, in the offset given; a fraction of a second is cut.
 * Undefined where the format has no words for it: an invalid date, or a year beyond 0 to 9999.
 */
export function formatDate(at: number, offsetMinutes: number): string | undefined {
  // Zones before about 1900 have offsets with seconds; the format has only minutes.
  const offset = Math.round(offsetMinutes);
  const local = `${new Date(at + offset * 60_000).toJSON()}`;
  const size = Math.abs(offset);
  // Hours in front of minutes: an hour is 100 there, and 60 here.
  const hhmm = String(10_000 + size + 40 * Math.floor(size / 60)).slice(1);
  return /^\d/.test(local) ? local.slice(0, LOCAL_LENGTH) + (offset < 0 ? '-' : '+') + hhmm : undefined;
}

/** The rule of a date, `Date` or text. */
export const DATE_RULE = 'must be a date as yyyy-MM-ddTHH:mm:ss±hhmm';

export const dateRule = textRule(DATE_RULE, { test: isDate });
