import { formatTime } from '../ui/format-time.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export function count(amount: number): string {
  return whole.format(amount);
}

/** For an axis, where there is little room: 12.5K. */
export function shortCount(amount: number): string {
  return short.format(amount);
}

/** `1 dead letter`, `2 dead letters`. */
export function counted(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** The two largest units at most: somebody reads this at night. */
export function duration(ms: number): string {
  if (ms < SECOND_MS) return 'under 1 s';
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return twoUnits(ms, [MINUTE_MS, 'min'], [SECOND_MS, 's']);
  if (ms < DAY_MS) return twoUnits(ms, [HOUR_MS, 'h'], [MINUTE_MS, 'min']);
  return twoUnits(ms, [DAY_MS, 'd'], [HOUR_MS, 'h']);
}

type Unit = readonly [ms: number, name: string];

function twoUnits(ms: number, [largeMs, large]: Unit, [smallMs, small]: Unit): string {
  const rest = Math.floor((ms % largeMs) / smallMs);
  return `${Math.floor(ms / largeMs)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

export function growth(perMinute: number): string {
  const rounded = Math.round(perMinute);
  if (rounded === 0) return '±0';
  // A minus sign, not a hyphen: as wide as the plus.
  return `${rounded > 0 ? '+' : '−'}${count(Math.abs(rounded))}`;
}

export function bytes(amount: number): string {
  if (amount < 1024 ** 2) return `${count(amount / 1024)} KiB`;
  if (amount < 1024 ** 3) return `${(amount / 1024 ** 2).toFixed(1)} MiB`;
  return `${(amount / 1024 ** 3).toFixed(1)} GiB`;
}

/** The time of day where the reader is, with the date if it is another day. */
export function clock(at: number, now: number): string {
  const time = formatTime(at);
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  return sameDay
    ? time
    : `${new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${time}`;
}

export function hourAndMinute(at: number): string {
  return formatTime(at).slice(0, 5);
}
