/** @import { Minute } from './relay.js' */

/**
 * In the plot's own units: a minute is 1 wide, and y goes down from 0 to `top`.
 *
 * @typedef {{ readonly kind: 'taken' | 'failed', readonly running: boolean, readonly x: number, readonly y: number, readonly width: number, readonly height: number }} Bar
 */

// Room over the limit, so that its line and its label are inside.
const HEADROOM = 1.15;
const BAR_WIDTH = 0.74;
// Of the plot's height: a single call must be seen, and a single failed one on top of 500.
const LEAST_TAKEN = 0.012;
const LEAST_FAILED = 0.03;

/**
 * A bar for each minute with calls, failed ones standing on the taken ones.
 *
 * @param {readonly Minute[]} hour
 * @param {number} limit
 * @returns {{ readonly top: number, readonly bars: readonly Bar[] }}
 */
export function callBars(hour, limit) {
  const top = HEADROOM * Math.max(limit, 1, ...hour.map(({ calls }) => calls));
  const bars = hour.flatMap(({ calls, failed }, index) => {
    const taken = visible(calls - failed, LEAST_TAKEN * top);
    const missed = visible(failed, LEAST_FAILED * top);
    const place = { running: index === hour.length - 1, x: index + (1 - BAR_WIDTH) / 2, width: BAR_WIDTH };
    return [
      { ...place, kind: /** @type {const} */ ('taken'), y: top - taken, height: taken },
      { ...place, kind: /** @type {const} */ ('failed'), y: top - taken - missed, height: missed },
    ];
  });
  return { top, bars: bars.filter(({ height }) => height > 0) };
}

/**
 * @param {number} calls
 * @param {number} least
 */
const visible = (calls, least) => (calls <= 0 ? 0 : Math.max(calls, least));

/**
 * Accepted as an area, delivered as a line over it. Without the running minute, which would look like a fall.
 *
 * @param {readonly Minute[]} hour
 * @returns {{ readonly top: number, readonly accepted: string, readonly delivered: string }}
 */
export function trafficPaths(hour) {
  const full = hour.slice(0, -1);
  const top = roundTop(Math.max(...full.map(({ accepted, delivered }) => Math.max(accepted, delivered))));
  const line = (/** @type {'accepted' | 'delivered'} */ what) =>
    full.map((minute, index) => `${index + 0.5} ${Math.round((top - minute[what]) * 100) / 100}`).join('L');
  return {
    top,
    accepted: `M0.5 ${top}L${line('accepted')}L${full.length - 0.5} ${top}Z`,
    delivered: `M${line('delivered')}`,
  };
}

/**
 * The next round number: an axis that a reader can halve in the head, and that does not jitter.
 *
 * @param {number} most
 */
export function roundTop(most) {
  if (most <= 10) return 10;
  const magnitude = 10 ** Math.floor(Math.log10(most));
  return magnitude * ([1, 1.5, 2, 3, 4, 6, 8].find((step) => step * magnitude >= most) ?? 10);
}
