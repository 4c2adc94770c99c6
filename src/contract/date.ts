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
const FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-])(\d\d)(\d\d)$/;

// java.time.ZoneOffset ends at 18:00; the widest offset in use is +14:00.
const MAX_OFFSET_MINUTES = 18 * 60;

/** Reads `yyyy-MM-ddTHH:mm:ss±hhmm`; undefined for anything else, a 31st of June included. */
export function parseDate(text: string): OffsetDate | undefined {
  const [, local = '', sign, hours, minutes] = FORM.exec(text) ?? [];
  const localAsUtc = Date.parse(`${local}Z`);
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  const real =
    Number(minutes) < 60 &&
    Math.abs(offset) <= MAX_OFFSET_MINUTES &&
    // `Date.parse` rolls 2026-02-30 over into March, and takes 24:00:00.
    !Number.isNaN(localAsUtc) &&
    new Date(localAsUtc).toISOString().startsWith(local);
  return real ? { at: localAsUtc - offset * 60_000, offsetMinutes: offset } : undefined;
}

/**
 * Writes a moment as `yyyy-MM-ddTHH:mm:ss±hhmm`, in the offset given; a fraction of a second is cut.
 * Undefined where the format has no words for it: an invalid date, or a year beyond 0 to 9999.
 */
export function formatDate(at: number, offsetMinutes: number): string | undefined {
  // Zones before about 1900 have offsets with seconds; the format has only minutes.
  const offset = Math.round(offsetMinutes);
  const local = new Date(at + offset * 60_000);
  const text = Number.isNaN(local.getTime()) ? '' : local.toISOString();
  const size = Math.abs(offset);
  const twoDigits = (n: number) => String(Math.floor(n)).padStart(2, '0');
  return /^\d{4}-/.test(text)
    ? `${text.slice(0, 19)}${offset < 0 ? '-' : '+'}${twoDigits(size / 60)}${twoDigits(size % 60)}`
    : undefined;
}

export const dateRule = textRule((text) =>
  parseDate(text) ? undefined : 'must be a date as yyyy-MM-ddTHH:mm:ss±hhmm',
);
