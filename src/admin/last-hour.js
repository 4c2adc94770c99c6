/** @import { Minute } from './relay.js' */

export const MINUTES = 60;
const MINUTE_MS = 60_000;

/**
 * Sixty minutes in a row, oldest first, the last one running: where nothing happened, with zeros.
 *
 * @param {readonly Minute[]} minutes
 * @param {number} now
 * @returns {readonly Minute[]}
 */
export function lastHour(minutes, now) {
  const known = new Map(minutes.map((minute) => [Math.floor(minute.at / MINUTE_MS), minute]));
  const running = Math.floor(now / MINUTE_MS);
  return Array.from({ length: MINUTES }, (_, index) => {
    const which = running - (MINUTES - 1) + index;
    const nothing = { accepted: 0, unverified: 0, calls: 0, delivered: 0, deadLetters: 0, failed: 0 };
    return { ...nothing, ...known.get(which), at: which * MINUTE_MS };
  });
}

/**
 * The last minute that is over: the running one says little about a pace.
 *
 * @param {readonly Minute[]} hour
 * @returns {Minute | undefined}
 */
export const lastFull = (hour) => hour.at(-2);
