import { formatDate, type OffsetDate, parseDate } from '../../contract/rules/date.ts';

/** An event's time by the visitor's clock, and the evidence of that clock's error. Numbers are in milliseconds. */
export type VisitorTime = {
  /** When the call was made, by the visitor's clock at that moment, in WebEngage's format. */
  readonly eventTime: string | undefined;
  /**
   * The time from the call to the request, by a clock that does not jump. Undefined for an event of an
   * earlier page until an answer has confirmed the clock's offset. Also undefined for a server's `eventTime`.
   */
  readonly age: number | undefined;
  /** When the batch was sent, by the visitor's clock. Undefined if the browser sends it after the page is gone. */
  readonly sentAt: number | undefined;
  /** The visitor's clock minus the relay's, as learned from earlier answers. Undefined before the first one. */
  readonly clockOffset: number | undefined;
  /** The relay's clock. */
  readonly now: number;
};

// Two measures of an event's age may differ by this much without a clock error: whole seconds, a busy page.
const TOLERATED_MISMATCH_MS = 30_000;

// A smaller difference between two clocks may be network delay.
const TOLERATED_SKEW_MS = 60_000;

// Event times are written in whole seconds, so a smaller offset means nothing.
const MIN_OFFSET_MS = 1_000;

/**
 * When the event happened by the relay's clock, in the visitor's UTC offset. The visitor's time is trusted as
 * far as it agrees with the event's age and the relay's clock. Otherwise the age decides.
 * Undefined only if the format can't express the moment.
 */
export function trueEventTime({ eventTime, age, sentAt, clockOffset, now }: VisitorTime): string | undefined {
  const written = eventTime === undefined ? undefined : parseDate(eventTime);
  // Without a time, WebEngage would use the time of the call to it: hours late after an outage.
  if (written === undefined) return formatDate(now - (age ?? 0), 0);
  const at =
    clockOffset === undefined
      ? withoutOffset(written, { age, sentAt, now })
      : withOffset(written, { age, sentAt, clockOffset, now });
  return at === written.at ? eventTime : (formatDate(at, written.offsetMinutes) ?? eventTime);
}

type Known = Pick<VisitorTime, 'age' | 'sentAt' | 'now'>;

/**
 * For a sender without an answer so far. Its time is kept if its clock agrees with ours, or if the time of
 * the send is unknown. Otherwise the age decides.
 */
function withoutOffset({ at }: OffsetDate, { age, sentAt, now }: Known): number {
  if (sentAt === undefined) return at;
  const wallAge = sentAt - at;
  const isRight = Math.abs(sentAt - now) <= TOLERATED_SKEW_MS && !isMismatch(wallAge, age);
  return isRight ? at : now - (age ?? wallAge);
}

function withOffset({ at }: OffsetDate, known: Known & { readonly clockOffset: number }): number {
  const { age, sentAt, now } = known;
  const clockOffset = Math.abs(known.clockOffset) < MIN_OFFSET_MS ? 0 : known.clockOffset;
  const corrected = at - clockOffset;
  // The time of an earlier page's event was written under this offset, whatever the clock says now.
  if (sentAt === undefined || age === undefined) return corrected;
  const wallAge = sentAt - at;
  // How far the send is in the relay's future. A send in its past may only have been slow to arrive.
  const aheadMs = sentAt - clockOffset - now;
  const isStillOff = isMismatch(wallAge, age)
    ? // After sleep the clock still has the known offset, and only the age stood still.
      wallAge > age && Math.abs(aheadMs) <= TOLERATED_SKEW_MS
    : aheadMs <= TOLERATED_SKEW_MS;
  return isStillOff ? corrected : now - age;
}

/** True if the clock was changed, or the machine slept, between the call and the send. */
function isMismatch(wallAge: number, age: number | undefined): boolean {
  return age !== undefined && Math.abs(wallAge - age) > TOLERATED_MISMATCH_MS;
}
