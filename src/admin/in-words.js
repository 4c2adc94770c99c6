const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** @param {number} amount */
export const count = (amount) => whole.format(amount);

/**
 * For an axis, where there is little room: 12.5K.
 *
 * @param {number} amount
 */
export const shortCount = (amount) => short.format(amount);

/**
 * `1 dead letter`, `2 dead letters`.
 *
 * @param {number} amount
 * @param {string} one
 * @param {string} [many]
 */
export const counted = (amount, one, many = `${one}s`) => `${count(amount)} ${amount === 1 ? one : many}`;

/**
 * The two largest units at most: somebody reads this at night.
 *
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < SECOND_MS) return 'under 1 s';
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return units(ms, MINUTE_MS, 'min', SECOND_MS, 's');
  if (ms < DAY_MS) return units(ms, HOUR_MS, 'h', MINUTE_MS, 'min');
  return units(ms, DAY_MS, 'd', HOUR_MS, 'h');
}

/**
 * @param {number} ms
 * @param {number} largeMs
 * @param {string} large
 * @param {number} smallMs
 * @param {string} small
 */
function units(ms, largeMs, large, smallMs, small) {
  const rest = Math.floor((ms % largeMs) / smallMs);
  return `${Math.floor(ms / largeMs)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/** @param {number} perMinute */
export function growth(perMinute) {
  const rounded = Math.round(perMinute);
  if (rounded === 0) return '±0';
  // A minus sign, not a hyphen: as wide as the plus.
  return `${rounded > 0 ? '+' : '−'}${count(Math.abs(rounded))}`;
}

/** @param {number} bytes */
export function bytes(bytes) {
  if (bytes < 1024 ** 2) return `${count(bytes / 1024)} KiB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/**
 * The time of the day where the reader is, with the date where it is another day.
 *
 * @param {number} at
 * @param {number} now
 */
export function clock(at, now) {
  const time = new Date(at).toLocaleTimeString('en-GB');
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  return sameDay
    ? time
    : `${new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${time}`;
}

/** @param {number} at */
export const hourAndMinute = (at) =>
  new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
