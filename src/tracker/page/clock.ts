import type { Time } from '../platform/time.ts';
import type { Call } from '../record/call.ts';
import { writeDate } from '../record/write-date.ts';

/**
 * The relay's time, as well as the page knows it: by a clock that does not jump while the page lives, set right by each of
 * the relay's answers. Before the first answer ever it is the visitor's own clock, as it stood when the page was loaded.
 */
export type Clock = {
  readonly now: () => number;
  /** When a call was made, by the relay's clock. */
  readonly madeAt: (call: Call) => number;
  /** How long ago a call was made: within its page load by the clock that does not jump. */
  readonly ageOf: (call: Call) => number;
  /** When a call was made by the visitor's clock, as it is now, in WebEngage's form. */
  readonly eventTime: (call: Call) => string | undefined;
  /** The visitor's clock minus the relay's, as the last answers taught it; undefined where there was none. */
  readonly offset: () => number | undefined;
  /** Takes what earlier pages have learnt, until an answer comes. */
  readonly restore: (offset: number | undefined) => void;
  /** Takes the relay's time out of an answer to a request that left at `sentMono`. */
  readonly learn: (relayNow: number, sentMono: number) => void;
  /** Whether an answer has set it right since the page was loaded. */
  readonly isConfirmed: () => boolean;
};

// Clocks that the network disciplines are slewed by less.
const SET_BACK_MS = 1_000;

/** @param session the page load */
export function createClock({ wall, mono }: Time, session: string): Clock {
  // What the visitor's clock is ahead of the monotonic one: it changes where that clock is set, or the machine sleeps.
  const lead = () => wall() - mono();
  // The same of the relay's clock, and what the visitor's was when that was learnt.
  let relayLead = lead();
  let leadThen: number | undefined;
  let isConfirmed = false;

  const learn = (offset: number) => {
    leadThen = lead();
    relayLead = leadThen - offset;
  };
  const now = () => mono() + relayLead;
  const offset = () => {
    if (leadThen === undefined) return undefined;
    // A clock that gained less than the time that has passed was set back since. One that gained more may have been set
    // forward, or the machine has slept: the relay tells the two apart.
    return Math.round((lead() < leadThen - SET_BACK_MS ? lead() : leadThen) - relayLead);
  };
  const isOurs = ({ id }: Call) => id.startsWith(session);
  const madeAt = ({ at, wall }: Call) => at ?? wall - (offset() ?? 0);
  return {
    now,
    offset,
    madeAt,
    ageOf: (call) => (isOurs(call) ? mono() - call.mono : now() - madeAt(call)),
    eventTime: (call) => writeDate(isOurs(call) ? call.wall : madeAt(call) + (offset() ?? 0)),
    restore: (offset) => {
      if (leadThen === undefined && offset !== undefined) learn(offset);
    },
    learn: (relayNow, sentMono) => {
      isConfirmed = true;
      learn(wall() - relayNow - (mono() - sentMono) / 2);
    },
    isConfirmed: () => isConfirmed,
  };
}
