import type { RelayStatus } from '../../edge/operator/relay-status.ts';

export type Minute = RelayStatus['minutes'][number];

export const MINUTE_MS = 60_000;
const MINUTES = 60;
const NOTHING = { accepted: 0, unverified: 0, calls: 0, delivered: 0, deadLetters: 0, failed: 0 };

/** Sixty minutes in a row, oldest first, the last one running: zeros where nothing happened. */
export function lastHour(minutes: readonly Minute[], now: number): readonly Minute[] {
  const known = new Map(minutes.map((minute) => [Math.floor(minute.at / MINUTE_MS), minute]));
  const running = Math.floor(now / MINUTE_MS);
  return Array.from({ length: MINUTES }, (_, index) => {
    const number = running - (MINUTES - 1) + index;
    return { ...NOTHING, ...known.get(number), at: number * MINUTE_MS };
  });
}

/** The last minute that is over: the running one says little about the pace. */
export function lastFull(hour: readonly Minute[]): Minute | undefined {
  return hour.at(-2);
}
