/** A moment and the offset in which it is written, as WebEngage's form has them. */
type ZonedMoment = { readonly at: number; readonly offsetMinutes: number };

/**
 * Turns a local time of a zone into a moment. The local time is given as if it were UTC, in milliseconds.
 * A time that the clocks skip is moved ahead by the gap, and of a time that occurs twice the first is taken:
 * what calendars do, and `compatible` in Temporal.
 */
export type TimeZone = (local: number) => ZonedMoment;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Undefined for a name that is not in the IANA database, such as `Europe/Berlin`. */
export function timeZone(name: string): TimeZone | undefined {
  if (/^(utc|etc\/utc|gmt)$/i.test(name)) return (local) => ({ at: local, offsetMinutes: 0 });
  const offsetAt = offsets(name);
  if (offsetAt === undefined) return undefined;
  return (local) => {
    // No zone changes twice within two days, so these are the offsets before and after a change.
    const before = offsetAt(local - DAY_MS);
    const after = offsetAt(local + DAY_MS);
    if (before === after) return { at: local - before * MINUTE_MS, offsetMinutes: before };
    const moments = [before, after].map((offset) => ({
      at: local - offset * MINUTE_MS,
      offsetMinutes: offset,
    }));
    const real = moments.filter(({ at, offsetMinutes }) => offsetAt(at) === offsetMinutes);
    const [first] = real.sort((a, b) => a.at - b.at);
    if (first !== undefined) return first;
    const at = local - before * MINUTE_MS;
    return { at, offsetMinutes: offsetAt(at) };
  };
}

const BUCKET_MS = 60 * MINUTE_MS;
const MAX_BUCKETS = 20_000;

/** The zone's offset in minutes at a moment. `Intl` needs microseconds for it, so whole hours are remembered. */
function offsets(name: string): ((at: number) => number) | undefined {
  const format = zoneFormat(name);
  if (format === undefined) return undefined;
  const known = new Map<number, number | undefined>();
  return (at) => {
    const bucket = Math.floor(at / BUCKET_MS);
    if (!known.has(bucket)) {
      if (known.size === MAX_BUCKETS) known.clear();
      const [start, end] = [bucket * BUCKET_MS, (bucket + 1) * BUCKET_MS - 1];
      const offset = offsetIn(format, start);
      // Undefined in an hour with a change.
      known.set(bucket, offset === offsetIn(format, end) ? offset : undefined);
    }
    return known.get(bucket) ?? offsetIn(format, at);
  };
}

function zoneFormat(name: string): Intl.DateTimeFormat | undefined {
  try {
    // An offset such as +02:00 is a zone for newer versions of Node only.
    if (/^[+-]/.test(name)) return undefined;
    return new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    return undefined;
  }
}

/** `GMT+05:30`, or `GMT-00:44:30` for the local time of a city in the past. */
const LONG_OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

function offsetIn(format: Intl.DateTimeFormat, at: number): number {
  const [, sign, hours, minutes, seconds] = LONG_OFFSET.exec(format.format(at)) ?? [];
  // WebEngage's form has no seconds of an offset.
  const size = Math.round(Number(hours ?? 0) * 60 + Number(minutes ?? 0) + Number(seconds ?? 0) / 60);
  return sign === '-' ? -size : size;
}
