import { formatDate, type OffsetDate, parseDate } from '../../contract/rules/date.ts';

/** What the visitor's clock said, and what is known of how wrong it is. All in milliseconds. */
export type VisitorTime = {
  /** When the event was made, by the visitor's clock at that moment, in WebEngage's form. */
  readonly eventTime: string | undefined;
  /**
   * How long before the send that was, by a clock that does not jump. Undefined of an earlier page, before an answer has told
   * whether its offset still holds; and of servers: as long as their clock says.
   */
  readonly age: number | undefined;
  /** When the batch was sent, by the visitor's clock. Undefined where the browser sends it once the page is gone. */
  readonly sentAt: number | undefined;
  /** The visitor's clock minus the relay's, as the relay's answers taught it before the send. Undefined before the first one. */
  readonly clockOffset: number | undefined;
  /** The relay's clock. */
  readonly now: number;
};

// Two ages of one event may differ by as much for reasons that no clock is to blame for: whole seconds, a busy page.
const TOLERATED_MISMATCH_MS = 30_000;

// Below it the difference between two clocks may be the network's.
const TOLERATED_SKEW_MS = 60_000;

// What is less than the whole seconds that are written says nothing.
const MIN_OFFSET_MS = 1_000;

/**
 * When the event happened by the relay's clock, in the visitor's own UTC offset. What the visitor's clock said is believed as
 * far as it agrees with the event's age and with the relay's clock; else the age decides.
 * Undefined only for a moment that the form can't write.
 */
export function trueEventTime({ eventTime, age, sentAt, clockOffset, now }: VisitorTime): string | undefined {
  const written = eventTime === undefined ? undefined : parseDate(eventTime);
  // WebEngage would take the time of the call to it: hours late, after an outage.
  if (written === undefined) return formatDate(now - (age ?? 0), 0);
  const at =
    clockOffset === undefined
      ? withoutOffset(written, { age, sentAt, now })
      : withOffset(written, { age, sentAt, clockOffset, now });
  return at === written.at ? eventTime : (formatDate(at, written.offsetMinutes) ?? eventTime);
}

type Known = Pick<VisitorTime, 'age' | 'sentAt' | 'now'>;

/** Of a browser that never had an answer: its clock is right, or its age alone is believed. */
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
  // An event of an earlier page is written by the offset that it was made under.
  if (sentAt === undefined || age === undefined) return corrected;
  const wallAge = sentAt - at;
  // By how much the send lies in the relay's future. One in its past may merely have been long on its way.
  const aheadMs = sentAt - clockOffset - now;
  const isStillOff = isMismatch(wallAge, age)
    ? // A machine that slept has a clock that is what it was, and an age that stood still.
      wallAge > age && Math.abs(aheadMs) <= TOLERATED_SKEW_MS
    : aheadMs <= TOLERATED_SKEW_MS;
  return isStillOff ? corrected : now - age;
}

/** True where the clock was changed, or the machine slept, between the making and the send. */
function isMismatch(wallAge: number, age: number | undefined): boolean {
  return age !== undefined && Math.abs(wallAge - age) > TOLERATED_MISMATCH_MS;
}
